import Primitives

/// Prints one JSON document on one line.
enum JSONOutput {
    /// Prints an object.
    static func object(_ body: (inout JSONText) -> Void) {
        var text = JSONText()
        text.object(body)
        Console.print(text.string)
    }

    /// Prints an array of objects.
    static func array<Element>(_ elements: [Element], _ body: (inout JSONText, Element) -> Void) {
        var text = JSONText()
        text.objects(elements, body)
        Console.print(text.string)
    }
}

extension JSONText {
    /// Adds an array of objects as the next element.
    mutating func objects<Element>(_ elements: [Element], _ body: (inout JSONText, Element) -> Void) {
        array { text in
            for element in elements { text.object { body(&$0, element) } }
        }
    }

    /// Adds an array of objects as a member.
    mutating func objects<Element>(
        _ name: String, _ elements: [Element], _ body: (inout JSONText, Element) -> Void
    ) {
        array(name) { text in
            for element in elements { text.object { body(&$0, element) } }
        }
    }

    /// Adds an array of strings as a member.
    mutating func strings(_ name: String, _ elements: [String]) {
        array(name) { text in
            for element in elements { text.element(element) }
        }
    }
}
