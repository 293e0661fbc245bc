/// Text that others had a hand in, made safe for a terminal.
enum Printable {
    /// The text with control characters, and those that turn the direction of writing, replaced by question marks.
    static func text(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: "?"
                    default: scalar
                    }
                }))
    }
}
