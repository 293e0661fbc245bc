/// Which release this is.
enum ProgramVersion {
    /// By Semantic Versioning.
    static let text = "0.1.0"
}
