import Policy

extension ConfigurationParser {
    private static let walletKeys = [
        "keystore", "passphrase-file", "passphrase-credential", "pay", "sponsored-approvals",
    ]

    mutating func wallets(_ root: ConfigurationSection) -> [Configuration.WalletEntry] {
        guard let value = reader.value(root, "wallets"), let entries = reader.entries(value) else { return [] }
        var wallets: [Configuration.WalletEntry] = []
        for (name, entry) in entries {
            guard isName(name, of: "wallet", at: entry.place),
                let section = reader.section(entry, keys: Self.walletKeys)
            else { continue }
            let keystore = reader.requiredText(section, "keystore")
            let passphrase = passphrase(section)
            let pay = payRules(section, "pay")
            let approvals = payRules(section, "sponsored-approvals")
            guard let keystore, let passphrase else { continue }
            wallets.append(
                Configuration.WalletEntry(
                    name: name, keystore: keystore, passphrase: passphrase, pay: pay, sponsoredApprovals: approvals))
        }
        return wallets
    }

    private mutating func passphrase(_ section: ConfigurationSection) -> Configuration.Passphrase? {
        let file = reader.text(section, "passphrase-file")
        let credential = reader.text(section, "passphrase-credential")
        switch (section.has("passphrase-file"), section.has("passphrase-credential")) {
        case (true, false): return file.map(Configuration.Passphrase.file)
        case (false, true): return credential.map(Configuration.Passphrase.credential)
        case (true, true):
            reader.note(
                section.place("passphrase-credential"), "there is a `passphrase-file` already; keep one of them")
        case (false, false):
            reader.note(section.place("passphrase-file"), "this key or `passphrase-credential` is needed")
        }
        return nil
    }

    private mutating func payRules(_ section: ConfigurationSection, _ key: String) -> [PayRule] {
        var rules: [PayRule] = []
        for element in reader.elements(section, key) {
            guard let text = reader.text(element) else { continue }
            guard let rule = PayRule(text) else {
                reader.note(
                    element.place, "`\(text)` is not network/symbol or network/address, such as `eip155:42161/USDT`")
                continue
            }
            guard table.assets.contains(where: rule.matches) else {
                reader.note(
                    element.place, "`\(text)` is neither in the pinned table nor in `assets`: nothing would match")
                continue
            }
            if rules.contains(rule) { reader.note(element.place, "`\(text)` appears twice") }
            rules.append(rule)
        }
        return rules
    }
}
