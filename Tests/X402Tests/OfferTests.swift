import Ethereum
import Primitives
import TestSupport
import Testing
import X402

@Suite("Signed offers")
struct OfferTests {
    private typealias Seller = SellerSigning

    private func verdict(
        _ offers: String..., pinned: PinnedSigners = PinnedSigners(), resource: String = Seller.resource,
        at now: Timestamp = Seller.now
    ) throws -> ProofVerdict? {
        try Seller.finding(offers: offers, pinned: pinned, resource: resource, at: now)?.verdict
    }

    private func changed(_ change: (inout X402Offer) -> Void) -> X402Offer {
        var offer = Seller.offer
        change(&offer)
        return offer
    }

    @Test("the vector's offer is the payee's, and is kept as it came")
    func typedVector() throws {
        let entry = try Vectors.entry("offer-receipt-eip712")
        let object = try #require(entry["offerObject"]).canonical
        let finding = try #require(try Seller.finding(offers: [object]))
        #expect(try finding.verdict == .verified(by: .address(VectorKey.seller.address)))
        #expect(finding.text == Array(object.utf8))
        #expect(try Seller.typed(Seller.offer).contains(#require(entry["offer"]?["signature"]?.string)))
    }

    static func compactRows() throws -> [Vectors.Row] {
        let own = try Vectors.document("Specs/vectors/jws-vectors.json")["rows"]?.elements ?? []
        return try Vectors.rows("offer-receipt-jws")
            + own.enumerated().map { index, row in
                Vectors.Row(
                    description: "\(index): \(row["alg"]?.string ?? "") \(row["did"]?.string ?? "")", value: row)
            }
    }

    @Test("signatures of all three algorithms count when their key is pinned", arguments: try compactRows())
    func compactVectors(row: Vectors.Row) throws {
        let did = try row.string("did")
        let object = try #"{"format":"jws","signature":"\#(row.string("jws"))"}"#
        func finding(_ object: String, _ pinned: PinnedSigners) throws -> ProofFinding? {
            try row.string("kind") == "offer"
                ? Seller.finding(offers: [object], pinned: pinned)
                : Seller.finding(receipt: object, pinned: pinned, at: Seller.now.adding(seconds: 2))
        }
        let pinned = PinnedSigners(identifiers: ["did:web:other.example", did])
        let found = try #require(try finding(object, pinned))
        #expect(found.verdict == .verified(by: .identifier(did)))
        #expect(found.text == Array(object.utf8))
        // Only the key on secp256k1 has an address, and it is the payee's.
        let unpinned: ProofVerdict =
            try row.string("alg") == "ES256K"
            ? .verified(by: .identifier(did)) : .unauthorizedSigner(.identifier(did))
        #expect(try finding(object, PinnedSigners())?.verdict == unpinned)

        let jws = try row.string("jws")
        let parts = jws.split(separator: ".").map(String.init)
        let payload = try #require(Base64.decodeURLSafe(parts[1]))
        let other = SellerSigning.urlSafe(payload + Array(" ".utf8))
        let forged = #"{"format":"jws","signature":"\#(parts[0]).\#(other).\#(parts[2])"}"#
        #expect(try finding(forged, pinned)?.verdict == .badSignature)
    }

    @Test("the offer is found by what it says, whatever its index says and what stands around it")
    func choice() throws {
        let others = try [
            "7", "{}", Seller.typed(changed { $0.amount = "1" }), Seller.typed(Seller.offer, by: .stranger),
            Seller.typed(changed { $0.network = "eip155:1" }),
        ]
        let good = try Seller.typed(Seller.offer).dropFirst()
        let indexed = #"{"acceptIndex":-7,"# + good
        let finding = try #require(try Seller.finding(offers: others + [indexed]))
        #expect(try finding.verdict == .verified(by: .address(VectorKey.seller.address)))
        #expect(finding.text == Array(indexed.utf8))
    }

    @Test("no extension and no offers are no finding; a list that is none is unreadable")
    func absent() throws {
        let verifier = try Seller.verifier()
        func finding(_ object: String) throws -> ProofFinding? {
            try verifier.offer(
                in: extensions(object), for: Seller.price, resource: Seller.resource, at: Seller.now)
        }
        for object in [
            "{}", #"{"offer-receipt":{}}"#, #"{"offer-receipt":7}"#, #"{"offer-receipt":{"info":{}}}"#,
            #"{"offer-receipt":{"info":{"offers":[]}}}"#, #"{"offer-receipt":{"info":{"offers":null}}}"#,
        ] {
            #expect(try finding(object) == nil, "\(object)")
        }
        #expect(try finding(#"{"offer-receipt":{"info":{"offers":{}}}}"#)?.verdict == .unreadable("offers"))
    }

    @Test("a member that differs is named")
    func mismatch() throws {
        let changes: [(String, (inout X402Offer) -> Void)] = [
            ("scheme", { $0.scheme = "upto" }), ("network", { $0.network = "base" }),
            ("asset", { $0.asset = Seller.payTo }), ("payTo", { $0.payTo = Seller.asset }),
            ("amount", { $0.amount = "10001" }), ("amount", { $0.amount = "010000" }), ("amount", { $0.amount = "" }),
            ("amount", { $0.amount = "1e4" }), ("network", { $0.network = "eip155:8453 " }),
        ]
        for (member, change) in changes {
            let offer = try Seller.typed(changed(change))
            #expect(try verdict(offer) == .mismatch(member))
        }
    }

    @Test("accounts off EVM are compared byte for byte, and nobody has their address")
    func otherAccounts() throws {
        let account = "7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV"
        func price(_ payTo: String) -> ProofVerifier.Price {
            ProofVerifier.Price(
                scheme: "exact", network: Seller.network, asset: Seller.asset, payTo: payTo, amount: UInt256(10_000))
        }
        let offer = try Seller.typed(changed { $0.payTo = account })
        let seller = try VectorKey.seller.address
        #expect(
            try Seller.finding(offers: [offer], price: price(account))?.verdict
                == .unauthorizedSigner(.address(seller)))
        #expect(try Seller.finding(offers: [offer], price: price(account.lowercased()))?.verdict == .mismatch("payTo"))
        #expect(
            try Seller.finding(offers: [offer], pinned: PinnedSigners(addresses: [seller]), price: price(account))?
                .verdict == .verified(by: .address(seller)))
    }

    @Test("an offer ends when it says, and one without an end does not")
    func expiry() throws {
        let offer = try Seller.typed(Seller.offer)
        let end = Timestamp(seconds: 1_795_305_660)
        let seller = try ProofVerdict.verified(by: .address(VectorKey.seller.address))
        #expect(try verdict(offer, at: Timestamp(milliseconds: end.milliseconds - 1)) == seller)
        #expect(try verdict(offer, at: end) == .expired)
        let endless = changed { $0.validUntil = 0 }
        #expect(try verdict(Seller.typed(endless), at: end) == seller)
        let absent = Seller.payload(endless).replacing(",\"validUntil\":0", with: "")
        #expect(!absent.contains("validUntil"))
        #expect(try verdict(Seller.typed(absent, digest: endless.digest), at: end) == seller)
        #expect(try verdict(Seller.compact(absent), at: end) == .verified(by: .identifier(Seller.did)))
        #expect(
            try verdict(Seller.typed(Seller.offer, by: .stranger), at: end)
                == .unauthorizedSigner(.address(VectorKey.stranger.address)))
    }

    @Test("what was signed is what was transmitted: another case of an address is another statement")
    func asTransmitted() throws {
        let lower = changed { $0.payTo = $0.payTo.lowercased() }
        #expect(try verdict(Seller.typed(lower)) == .verified(by: .address(VectorKey.seller.address)))
        let other = try Seller.typed(Seller.payload(lower), digest: Seller.offer.digest)
        guard case .unauthorizedSigner = try verdict(other) else {
            Issue.record("a statement that was not signed counted")
            return
        }
    }

    @Test("a key that is not the payee's and not pinned does not count")
    func strangers() throws {
        let stranger = try VectorKey.stranger.address
        let offer = try Seller.typed(Seller.offer, by: .stranger)
        #expect(try verdict(offer) == .unauthorizedSigner(.address(stranger)))
        #expect(
            try verdict(offer, pinned: PinnedSigners(addresses: [stranger])) == .verified(by: .address(stranger)))
    }

    @Test("a key in a document is named and not fetched, for the host that answers and for pinned identifiers")
    func documents() throws {
        func offer(_ kid: String) throws -> String {
            try Seller.compact(Seller.payload(Seller.offer), header: #"{"alg":"EdDSA","kid":"\#(kid)"}"#)
        }
        let own = try offer("did:web:api.example.com#key-1")
        #expect(try verdict(own) == .needsDocument(url: "https://api.example.com/.well-known/did.json"))
        #expect(try verdict(own, at: Timestamp(seconds: 1_795_305_660)) == .expired)
        #expect(
            try verdict(own, resource: "https://evil.example/")
                == .unauthorizedSigner(.identifier("did:web:api.example.com")))
        let port = try offer("did:web:API.example.com%3A8443:shop:v1")
        #expect(
            try verdict(port, resource: "https://api.example.com:8443/x")
                == .needsDocument(url: "https://api.example.com:8443/shop/v1/did.json"))
        #expect(try verdict(port) == .unauthorizedSigner(.identifier("did:web:API.example.com%3A8443:shop:v1")))
        let pinned = PinnedSigners(identifiers: ["did:web:keys.example"])
        #expect(
            try verdict(offer("did:web:keys.example#1"), pinned: pinned)
                == .needsDocument(url: "https://keys.example/.well-known/did.json"))
    }

    @Test(
        "reject- identifiers of other methods and forms",
        arguments: [
            "", "did", "did:key", "did:key:", "did:pkh:eip155:1:0x00", "did:web:", "did:web:127.0.0.1", "did:web:[::1]",
            "did:web:a.example:..", "did:web:a.example:", "did:web:a.example:x%2Fy", "did:web:a.example/x",
            "did:web:u@a.example", "did:web:a.example%3A0", "did:web:a.example%3Ax", "did:web:a.example?x=1",
            "did:web:a.example" + String(repeating: ":x", count: 9), "did:key:z6Mk", "DID:key:z6Mk",
            "did:key:zQ3shScWratmosu8R95gHDdPPypPdxht5hkJ16K2Pv7NWWW4m#other",
            "did:key:xQ3shScWratmosu8R95gHDdPPypPdxht5hkJ16K2Pv7NWWW4m",
            "did:key:zQ3shScWratmosu8R95gHDdPPypPdxht5hkJ16K2Pv7NWWW4mm",
            "did:key:z" + String(repeating: "1", count: 900), "did:jwk:", "did:jwk:e30", "did:jwk:e30=",
            "did:jwk:W10#0",
            "did:jwk:!", "did:key:é", "did:key:z6Mk\\n", "did:web:" + String(repeating: "a", count: 1024),
        ])
    func strangeIdentifiers(kid: String) throws {
        let offer = try Seller.compact(
            Seller.payload(Seller.offer), header: #"{"alg":"ES256K","kid":"\#(kid)"}"#)
        let pinned = PinnedSigners(identifiers: [kid])
        #expect(try verdict(offer, pinned: pinned) == .unreadable("kid"))
    }

    @Test("reject- JSON web keys with a coordinate missing, too short, or off the curve")
    func webKeys() throws {
        let zeros = SellerSigning.urlSafe([UInt8](repeating: 0, count: 32))
        let ones = SellerSigning.urlSafe([UInt8](repeating: 1, count: 32))
        func verdict(_ key: String, algorithm: String) throws -> ProofVerdict? {
            let kid = "did:jwk:" + SellerSigning.urlSafe(Array(key.utf8))
            let offer = try Seller.compact(
                Seller.payload(Seller.offer), header: #"{"alg":"\#(algorithm)","kid":"\#(kid)"}"#)
            return try Seller.finding(offers: [offer], pinned: PinnedSigners(identifiers: [kid]))?.verdict
        }
        for key in [
            #"{"kty":"EC","crv":"secp256k1","x":"\#(ones)"}"#,
            #"{"kty":"EC","crv":"P-384","x":"\#(ones)","y":"\#(ones)"}"#,
            #"{"kty":"EC","crv":"P-256","x":"AQ","y":"\#(ones)"}"#, #"{"kty":"OKP","crv":"X25519","x":"\#(ones)"}"#,
            #"{"kty":"RSA","n":"AQ","e":"AQAB"}"#, #"{"kty":"EC","crv":"P-256","x":"\#(ones)","x":"\#(ones)"}"#,
        ] {
            #expect(try verdict(key, algorithm: "ES256") == .unreadable("kid"), "\(key)")
        }
        for (curve, algorithm) in [("P-256", "ES256"), ("secp256k1", "ES256K")] {
            for y in [zeros, ones] {
                let key = #"{"kty":"EC","crv":"\#(curve)","x":"\#(ones)","y":"\#(y)"}"#
                #expect(try verdict(key, algorithm: algorithm) == .badSignature)
            }
        }
        let edwards = #"{"kty":"OKP","crv":"Ed25519","x":"\#(ones)"}"#
        #expect(try verdict(edwards, algorithm: "EdDSA") == .badSignature)
    }
}
