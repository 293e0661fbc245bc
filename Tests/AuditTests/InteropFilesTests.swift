import Foundation
import Ledger
import Primitives
import Testing

@testable import Audit

/// Writes what Tests/Interop/accounting/run checks with the real programs, where it is asked to.
@Suite("Files for the accounting programs")
struct InteropFilesTests {
    private static let folder = ProcessInfo.processInfo.environment["PURSER_ACCOUNTING_FOLDER"]

    @Test("the workload is written out", .enabled(if: folder != nil))
    func write() async throws {
        let folder = URL(filePath: try #require(Self.folder))
        let workload = try await Workload.seeded()
        let periods: [(name: String, from: String?, to: String?)] = [
            ("all", nil, nil), ("first", nil, "2026-11-23"), ("middle", "2026-11-23", "2026-11-24"),
            ("last", "2026-11-24", nil), ("beyond", "2026-11-24", "2027-01-01"), ("after", "2026-12-01", nil),
            ("before", "2020-01-01", "2021-01-01"),
        ]
        for (name, from, to) in periods {
            let period = try #require(Period(from: from, to: to))
            for format in ExportFormat.allCases {
                let text = try await workload.export(format, of: period)
                try Data(text.utf8).write(to: folder.appending(path: "\(name).\(format.rawValue)"))
            }
            try Data(try await Self.balances(workload, before: period.end).utf8)
                .write(to: folder.appending(path: "\(name).balances"))
        }
        let text = try await workload.export(.entries)
        let tampered = text.replacing("\"cause\":\"settled\"", with: "\"cause\":\"rejected\"", maxReplacements: 1)
        try Data(tampered.utf8).write(to: folder.appending(path: "tampered.entries"))
    }

    /// Account, commodity and amount at the end of a period, tab-separated; those of the whole books are the kept ones.
    private static func balances(_ workload: Workload, before end: Timestamp?) async throws -> String {
        let assets = workload.assets
        return try await workload.read { (snapshot) throws(LedgerError) in
            let commodities = try CommodityTable(snapshot, assets: assets)
            var rows: [(Account, String, SignedAmount)] = []
            if let end {
                var sums = AccountSums()
                try snapshot.forEachEntry { (entry) throws(LedgerError) in
                    if entry.at < end, let transfer = entry.line.transfer { sums.add(transfer) }
                }
                rows = sums.places.compactMap { place in
                    sums.sums[place].map { (place.account, place.asset, $0.balance) }
                }
            } else {
                rows = try snapshot.balances().map {
                    ($0.account, $0.asset, SignedAmount(debits: $0.debits, credits: $0.credits))
                }
            }
            return rows.map { account, asset, amount in
                let commodity = commodities[asset]
                let text = amount.text(decimals: commodity.decimals)
                return "\(AccountNames.name(of: account))\t\(commodity.name)\t\(text)\n"
            }.joined()
        }
    }
}
