import Ledger
import LedgerSQLite
import Primitives

/// One cell of the measurement.
struct Cell {
    /// Payments per second: each is set aside and then settled.
    let rate: Double
    /// CPU of the whole process for each payment, in microseconds.
    let cpu: Double
    /// How much of that the system took for writing and flushing, in microseconds.
    let kernel: Double
    /// Latency of reservations in milliseconds, sorted.
    let reserving: [Double]
    /// Latency of settlements in milliseconds, sorted.
    let settling: [Double]
}

extension [Double] {
    /// The value below which a share of a sorted list lies.
    func quantile(_ share: Double) -> Double {
        isEmpty ? .nan : self[Swift.min(count - 1, Int(Double(count) * share))]
    }

    /// The middle of a list.
    var median: Double { sorted().quantile(0.5) }
}

/// Callers that pay as fast as the books let them.
enum Load {
    private struct Times: Sendable {
        var reserving: [Double] = []
        var settling: [Double] = []
    }

    /// Lets so many callers set aside and settle, one payment after the other.
    static func run(on books: Books, callers: Int, seconds: Double) async throws -> Cell {
        let cpu = System.cpu
        let start = System.seconds
        let end = start + seconds
        let times = try await withThrowingTaskGroup(of: Times.self) { group in
            for caller in 0..<callers {
                group.addTask { try await pay(on: books, as: caller, until: end) }
            }
            var all = Times()
            for try await one in group {
                all.reserving += one.reserving
                all.settling += one.settling
            }
            return all
        }
        let count = Double(times.settling.count)
        let elapsed = System.seconds - start
        let after = System.cpu
        let kernel = (after.kernel - cpu.kernel) / count * 1e6
        return Cell(
            rate: count / elapsed, cpu: (after.own - cpu.own) / count * 1e6 + kernel, kernel: kernel,
            reserving: times.reserving.sorted(), settling: times.settling.sorted())
    }

    @concurrent
    private static func pay(on books: Books, as caller: Int, until end: Double) async throws -> Times {
        var noise = Noise(seed: UInt64(caller) ^ UInt64(System.seconds * 1e9))
        var times = Times()
        var moment = System.seconds
        while moment < end {
            let intent = Sample.intent(of: caller, at: System.now, &noise)
            guard case .reserved = try await books.ledger.reserve(ReservationRequest(intent), at: System.now) else {
                throw BenchError("the books refused a payment")
            }
            let reserved = System.seconds
            times.reserving.append((reserved - moment) * 1e3)
            let evidence = Sample.evidence(&noise)
            _ = try await books.ledger.book(.settled, of: intent.id, evidence: evidence, at: System.now)
            moment = System.seconds
            times.settling.append((moment - reserved) * 1e3)
        }
        return times
    }
}
