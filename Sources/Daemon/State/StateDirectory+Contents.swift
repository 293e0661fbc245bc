import Policy

extension StateDirectory {
    /// The line that the configuration of every demonstration begins with.
    package static let demonstrationMark = "# Made by `purser demo`."

    /// Reads and checks the configuration.
    ///
    /// Throws ``StateDirectoryError`` where there is none to read, and ``ConfigurationErrors`` where it is wrong.
    package func loadConfiguration() throws -> Configuration { try configuration(of: try configurationText()) }

    /// The configuration as it is written; throws ``StateDirectoryError``.
    func configurationText() throws(StateDirectoryError) -> String {
        try check()
        return try FileSystem.readText(configurationFile)
    }

    /// What such a text says; throws ``ConfigurationErrors``.
    func configuration(of text: String) throws -> Configuration {
        try Configuration.parse(text: text, file: configurationFile, table: try AssetTable.pinned()).get()
    }

    /// Whether there is a configuration, right or wrong.
    package var hasConfiguration: Bool { FileSystem.exists(configurationFile) }

    /// Clears the state that an earlier demonstration left; an empty or missing folder is fine too.
    ///
    /// Throws `notADemonstration` for a folder with other contents: it might be somebody's money.
    package func resetDemonstration() throws(StateDirectoryError) {
        let entries = try FileSystem.entries(of: root)
        guard !entries.isEmpty else { return }
        let isOurs: Bool
        do {
            isOurs = try FileSystem.readText(configurationFile).hasPrefix(Self.demonstrationMark)
        } catch {
            isOurs = false
        }
        guard isOurs else { throw .notADemonstration(root) }
        for entry in entries { try FileSystem.remove(path(entry)) }
    }
}
