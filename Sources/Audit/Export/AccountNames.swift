import Ledger

/// The names of accounts in plain-text accounting programs.
///
/// Beancount is the stricter of the two: each part begins with a capital letter or a digit and goes on with letters,
/// digits and hyphens. Different accounts have different names.
enum AccountNames {
    /// The name of an account: `Assets:Exposed:Scout`.
    static func name(of account: Account) -> String {
        switch account {
        case .wallet(let address): "Assets:Wallet:" + part(address)
        case .exposed(let agent): "Assets:Exposed:" + part(agent)
        case .presumed(let agent, let payee): "Expenses:Presumed:" + part(agent) + ":" + part(payee)
        case .spent(let agent, let payee): "Expenses:Spent:" + part(agent) + ":" + part(payee)
        case .opening(let address): "Equity:Opening:" + part(address)
        case .topUp(let address): "Equity:TopUp:" + part(address)
        case .writeOff(let address): "Expenses:WriteOff:" + part(address)
        case .metered(let agent, let gateway): "Expenses:Metered:" + part(agent) + ":" + part(gateway)
        case .prepaid(let gateway): "Assets:Prepaid:" + part(gateway)
        }
    }

    /// A text as one part of a name.
    ///
    /// ASCII letters and digits stay, a hyphen is doubled, and any other byte becomes a hyphen and two lower-case hex
    /// digits. A small first letter becomes a capital; a text that begins otherwise than with a small letter or a digit
    /// gets `X-U` in front, which nothing else gives.
    static func part(_ text: String) -> String {
        var result = ""
        for (index, byte) in text.utf8.enumerated() {
            let character = Character(UnicodeScalar(byte))
            switch byte {
            case 0x61...0x7a where index == 0: result.unicodeScalars.append(UnicodeScalar(byte - 0x20))
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: result.append(character)
            case UInt8(ascii: "-"): result += "--"
            default:
                let digits = String(byte, radix: 16)
                result += "-" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        let isPlain = text.utf8.first.map { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) } ?? false
        return isPlain ? result : "X-U" + result
    }
}
