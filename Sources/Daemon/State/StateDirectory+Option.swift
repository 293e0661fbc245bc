extension StateDirectory {
    /// The option of every command that names this directory, written as a shell reads it.
    package var option: String {
        let plain = root.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "/._-+,:@%".utf8.contains(byte)
        }
        return "--state " + (plain ? root : "'\(root.replacing("'", with: #"'\''"#))'")
    }
}
