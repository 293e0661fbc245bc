/// Rows for people: columns as wide as their widest cell, two blanks apart.
struct Table {
    /// How a column is filled up.
    enum Alignment {
        case left
        case right
    }

    private let alignments: [Alignment]
    private var rows: [[String]]

    /// Makes a table with a line of headings.
    init(_ columns: [(heading: String, alignment: Alignment)]) {
        alignments = columns.map(\.alignment)
        rows = [columns.map(\.heading)]
    }

    /// Adds a row with a cell for each column; an empty cell becomes a hyphen.
    mutating func add(_ cells: [String]) {
        rows.append(cells.map { $0.isEmpty ? "-" : $0 })
    }

    /// The lines, without blanks at their ends.
    var lines: [String] {
        let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += alignments[column] == .left ? cell + padding : padding + cell
                line += "  "
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }

    /// Prints the table.
    func show() {
        for line in lines { Console.print(line) }
    }
}

/// Prints names and values in two columns.
enum Facts {
    static func show(_ facts: [(name: String, value: String)]) {
        let width = facts.map(\.name.count).max() ?? 0
        for (name, value) in facts {
            Console.print(name + String(repeating: " ", count: width - name.count + 2) + value)
        }
    }
}
