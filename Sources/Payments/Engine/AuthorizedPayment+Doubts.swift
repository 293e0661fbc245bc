import Ledger
import Policy
import Primitives
import X402

extension AuthorizedPayment {
    /// What a seller's report of success says that cannot be: another amount or network than the signed one.
    func doubts(about report: SettlementReport, in table: AssetTable) -> [String] {
        guard report.success else { return [] }
        var doubts: [String] = []
        if let amount = report.amount, terms.isMaximum ? amount > terms.amount : amount != terms.amount {
            doubts.append("settlement reports another amount")
        }
        if let network = report.network, table.network(spelled: network) != terms.network {
            doubts.append("settlement reports another network")
        }
        return doubts
    }
}
