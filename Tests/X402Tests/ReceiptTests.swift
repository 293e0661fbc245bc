import Ethereum
import Primitives
import TestSupport
import Testing
import X402

@Suite("Signed receipts")
struct ReceiptTests {
    private typealias Seller = SellerSigning

    private static let issued = Timestamp(seconds: 1_795_305_602)

    private func verdict(
        _ receipt: String, pinned: PinnedSigners = PinnedSigners(), transaction: String? = nil,
        at now: Timestamp = issued
    ) throws -> ProofVerdict? {
        try Seller.finding(receipt: receipt, pinned: pinned, transaction: transaction, at: now)?.verdict
    }

    private func changed(_ change: (inout X402Receipt) -> Void) throws -> String {
        var receipt = Seller.receipt
        change(&receipt)
        return try Seller.typed(receipt)
    }

    private var verified: ProofVerdict {
        get throws { try .verified(by: .address(VectorKey.seller.address)) }
    }

    @Test("the vector's receipt is the payee's, and is kept as it came")
    func vector() throws {
        let entry = try Vectors.entry("offer-receipt-eip712")
        let object = try #require(entry["receiptObject"]).canonical
        let finding = try #require(try Seller.finding(receipt: object, at: Self.issued))
        #expect(try finding.verdict == verified)
        #expect(finding.text == Array(object.utf8))
        #expect(try Seller.typed(Seller.receipt).contains(#require(entry["receipt"]?["signature"]?.string)))
    }

    @Test("a member that differs is named")
    func mismatch() throws {
        let changes: [(String, (inout X402Receipt) -> Void)] = [
            ("resourceUrl", { $0.resourceURL += "/" }), ("resourceUrl", { $0.resourceURL = "https://API.example.com" }),
            ("network", { $0.network = "eip155:1" }), ("payer", { $0.payer = Seller.payTo }),
            ("payer", { $0.payer = "" }), ("payer", { $0.payer = "0x1a" }),
            ("transaction", { $0.transaction = "0x01" }),
        ]
        for (member, change) in changes { #expect(try verdict(changed(change)) == .mismatch(member)) }
    }

    @Test("the payer is one of ours in any case of its letters")
    func payer() throws {
        #expect(try verdict(changed { $0.payer = $0.payer.lowercased() }) == verified)
        #expect(try verdict(changed { $0.payer = "0x" + $0.payer.dropFirst(2).uppercased() }) == verified)
    }

    @Test("a transaction is the one that the settlement names; a receipt need not name one")
    func transaction() throws {
        let named = try changed { $0.transaction = "0xabcd" }
        #expect(try verdict(named, transaction: "0xabcd") == verified)
        #expect(try verdict(named, transaction: "0xabce") == .mismatch("transaction"))
        #expect(try verdict(named) == .mismatch("transaction"))
        #expect(try verdict(Seller.typed(Seller.receipt), transaction: "0xabcd") == verified)
        let absent = Seller.payload(Seller.receipt).replacing(#","transaction":"""#, with: "")
        #expect(!absent.contains("transaction"))
        #expect(try verdict(Seller.typed(absent, digest: Seller.receipt.digest), transaction: "0xabcd") == verified)
        #expect(try verdict(Seller.compact(absent)) == .verified(by: .identifier(Seller.did)))
    }

    @Test("a receipt counts from a minute before it was issued to an hour after, to the second")
    func window() throws {
        let receipt = try Seller.typed(Seller.receipt)
        #expect(try verdict(receipt, at: Self.issued.adding(seconds: -60)) == verified)
        #expect(try verdict(receipt, at: Self.issued.adding(seconds: -61)) == .mismatch("issuedAt"))
        #expect(try verdict(receipt, at: Self.issued.adding(seconds: 3600)) == verified)
        #expect(try verdict(receipt, at: Self.issued.adding(seconds: 3601)) == .expired)
        #expect(try verdict(changed { $0.issuedAt = UInt64(Int64.max) }) == .mismatch("issuedAt"))
    }

    @Test("a stranger's receipt does not count unless it is pinned")
    func strangers() throws {
        let stranger = try VectorKey.stranger.address
        let receipt = try Seller.typed(Seller.receipt, by: .stranger)
        #expect(try verdict(receipt) == .unauthorizedSigner(.address(stranger)))
        #expect(
            try verdict(receipt, pinned: PinnedSigners(addresses: [stranger])) == .verified(by: .address(stranger)))
        #expect(try verdict(receipt, at: Self.issued.adding(seconds: 3601)) == .unauthorizedSigner(.address(stranger)))
    }

    @Test("an offer is no receipt, though its payee signed it, nor a receipt an offer")
    func kinds() throws {
        #expect(try verdict(Seller.typed(Seller.offer)) == .unreadable("payer"))
        #expect(
            try Seller.finding(offers: [Seller.typed(Seller.receipt)])?.verdict == .unreadable("scheme"))
    }

    @Test("a report without a receipt is no finding; one that is none is unreadable")
    func absent() throws {
        let purchase = ProofVerifier.Purchase(
            resource: Seller.resource, network: Seller.network, payTo: Seller.payTo, payers: [], transaction: nil)
        for members in [
            "", #","extensions":{}"#, #","extensions":7"#,
            #","extensions":{"offer-receipt":{"info":{"receipt":null}}}"#,
        ] {
            let report = try #require(SettlementReport.read(header: Array(#"{"success":true\#(members)}"#.utf8)))
            #expect(try Seller.verifier().receipt(in: report, for: purchase, at: Seller.now) == nil)
        }
        #expect(try verdict("7") == .unreadable("length"))
        #expect(try verdict("[]") == .unreadable("length"))
        #expect(
            try verdict(#"{"signature":"","x":"\#(String(repeating: "x", count: 4096))"}"#) == .unreadable("length"))
    }
}
