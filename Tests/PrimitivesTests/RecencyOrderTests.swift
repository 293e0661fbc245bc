import Primitives
import Testing

@Suite("Recency order")
struct RecencyOrderTests {
    @Test("the oldest is what a list that is searched says, after any sequence of additions, uses and removals")
    func oldest() {
        var state: UInt64 = 7
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var order = RecencyOrder<Int>()
        // The newest is the last.
        var model: [(element: Int, place: Int)] = []
        for element in 0..<5_000 {
            switch random(below: 4) {
            case 0, 1:
                model.append((element, order.append(element)))
            case 2 where !model.isEmpty:
                let one = model.remove(at: random(below: model.count))
                order.use(one.place)
                model.append(one)
            case 3 where !model.isEmpty:
                order.remove(at: model.remove(at: random(below: model.count)).place)
            default: break
            }
            #expect(order.oldest == model.first?.element)
        }
        #expect(model.count > 10)
        while let first = model.first {
            #expect(order.oldest == first.element)
            order.remove(at: first.place)
            model.removeFirst()
        }
        #expect(order.oldest == nil)
    }
}
