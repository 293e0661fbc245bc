import Ethereum
import Primitives
import SystemCrypto
import TestSupport
import Testing
import X402

@Suite("Pinned documents of did:web")
struct SellerDocumentTests {
    private typealias Seller = SellerSigning

    private static let did = "did:web:api.example.com"
    /// The seller's key on secp256k1, as a document names it.
    private static let multibase = String(Seller.did.dropFirst("did:key:".count))
    /// The same key as a JSON Web Key.
    private static let webKey =
        #"{"kty":"EC","crv":"secp256k1","x":"TUts0TYQMsqb0q652QCqTUXZ6tgKyUIzdMRRpyVNB2Y","#
        + #""y":"Kj6totD-IIttJXzrDwZChGYuhX9XtmtUwZi9MQ3tNtA"}"#
    /// Another one's key.
    private static let other = "zQ3shT1GokQF68docxRmRpQTjnaB66odZYc2tfAv6YMNJqS7g"

    private static func method(
        _ id: String = "\(did)#key-1", controller: String = did, key: String = #""publicKeyMultibase":"\#(multibase)""#,
        more: String = ""
    ) -> String {
        #"{"id":"\#(id)","type":"Multikey","controller":"\#(controller)",\#(key)\#(more)}"#
    }

    private static func document(
        id: String = did, methods: [String] = [method()], assertion: String = #"["\#(did)#key-1"]"#
    ) -> [UInt8] {
        let list = methods.joined(separator: ",")
        return Array(#"{"id":"\#(id)","verificationMethod":[\#(list)],"assertionMethod":\#(assertion)}"#.utf8)
    }

    private static func pinned(_ document: [UInt8]) throws -> PinnedSigners {
        PinnedSigners(
            identifiers: [did], documents: [did: try SellerDocument(document, of: did)])
    }

    private static func verdict(
        _ pinned: PinnedSigners, kid: String = "\(did)#key-1", alg: String = "ES256K", forge: Bool = false,
        at now: Timestamp = Seller.now
    ) throws -> ProofVerdict? {
        var offer = try Seller.compact(
            Seller.payload(Seller.offer), header: #"{"alg":"\#(alg)","kid":"\#(kid)"}"#)
        if forge {
            // Any 64 bytes.
            let end = try #require(offer.lastIndex(of: "."))
            offer = offer[..<end] + "." + Seller.urlSafe([UInt8](repeating: 7, count: 64)) + #""}"#
        }
        return try Seller.finding(offers: [offer], pinned: pinned, at: now)?.verdict
    }

    @Test("a signature by a key of the pinned document is verified, and any other 64 bytes are not")
    func verified() throws {
        let pinned = try Self.pinned(Self.document())
        #expect(try Self.verdict(pinned) == .verified(by: .identifier(Self.did)))
        #expect(try Self.verdict(pinned, forge: true) == .badSignature)
        let document = Self.document()
        #expect(try SellerDocument(document, of: Self.did).digest == SHA256.hash(document))
    }

    @Test("without a pinned document no signature of a did:web is verified, the right one no more than any 64 bytes")
    func unpinned() throws {
        let url = "https://api.example.com/.well-known/did.json"
        for pinned in [PinnedSigners(identifiers: [Self.did]), PinnedSigners()] {
            for forge in [false, true] {
                #expect(try Self.verdict(pinned, forge: forge) == .needsDocument(url: url))
            }
        }
        // A document counts only beside its own identifier.
        let stray = PinnedSigners(documents: [Self.did: try SellerDocument(Self.document(), of: Self.did)])
        #expect(try Self.verdict(stray) == .needsDocument(url: url))
    }

    @Test("keys are named by whole and relative URLs, as web keys, and by methods that stand under assertionMethod")
    func forms() throws {
        let documents = [
            Self.document(methods: [Self.method("#key-1")], assertion: ##"["#key-1"]"##),
            Self.document(methods: [], assertion: "[\(Self.method())]"),
            Self.document(methods: [Self.method(key: #""publicKeyJwk":\#(Self.webKey)"#)]),
            Self.document(
                methods: [
                    Self.method("\(Self.did)#old", key: #""publicKeyMultibase":"\#(Self.other)""#), Self.method(),
                ],
                assertion: #"["\#(Self.did)#old","\#(Self.did)#key-1","\#(Self.did)#none","did:web:x.example#key-1"]"#),
            Self.document(methods: [Self.method(more: #","revoked":null"#)]),
        ]
        for document in documents {
            #expect(
                try Self.verdict(Self.pinned(document)) == .verified(by: .identifier(Self.did)),
                "\(String(decoding: document, as: UTF8.self))")
        }
    }

    @Test("a key counts until its method expires")
    func expiry() throws {
        let pinned = try Self.pinned(Self.document(methods: [Self.method(more: #","expires":"\#(Seller.now)""#)]))
        #expect(
            try Self.verdict(pinned, at: Seller.now.adding(seconds: -1)) == .verified(by: .identifier(Self.did)))
        #expect(try Self.verdict(pinned) == .unreadable("kid"))
    }

    @Test("reject- a signature that names no key of the document, or another algorithm than the key's")
    func names() throws {
        let pinned = try Self.pinned(
            Self.document(
                methods: [
                    Self.method(), Self.method("\(Self.did)#login"),
                    Self.method("\(Self.did)#other", key: #""publicKeyMultibase":"\#(Self.other)""#),
                ], assertion: #"["\#(Self.did)#key-1","\#(Self.did)#other"]"#))
        for kid in ["\(Self.did)", "\(Self.did)#", "\(Self.did)#key-2", "\(Self.did)#KEY-1", "\(Self.did)#login"] {
            #expect(try Self.verdict(pinned, kid: kid) == .unreadable("kid"), "\(kid)")
        }
        #expect(try Self.verdict(pinned, kid: "\(Self.did)#other") == .badSignature)
        for alg in ["EdDSA", "ES256", "none", "ES256k"] {
            #expect(try Self.verdict(pinned, alg: alg) == .unreadable("alg"), "\(alg)")
        }
    }

    @Test("reject- documents that are another's, that have no key to use, or that cannot be read")
    func rejected() throws {
        let jwk = #""publicKeyJwk":{"kty":"EC","crv":"P-384","x":"AQ","y":"AQ"}"#
        let both = #""publicKeyMultibase":"\#(Self.multibase)","publicKeyJwk":{}"#
        let cases: [([UInt8], SellerDocumentError)] = [
            (Array("[]".utf8), .notJSON), (Array("{".utf8), .notJSON),
            (Array(#"{"id":"\#(Self.did)","id":"\#(Self.did)"}"#.utf8), .notJSON),
            (Array("{}".utf8), .otherIdentifier("none")),
            (Self.document(id: "did:web:evil.example"), .otherIdentifier("did:web:evil.example")),
            (Self.document(id: "\(Self.did)#key-1"), .otherIdentifier("\(Self.did)#key-1")),
            (Self.document(assertion: "[]"), .noKey),
            (Array(#"{"id":"\#(Self.did)","verificationMethod":[\#(Self.method())]}"#.utf8), .noKey),
            (Self.document(assertion: ##"["did:web:evil.example#key-1"]"##), .noKey),
            (Self.document(methods: [Self.method(controller: "did:web:evil.example")]), .noKey),
            (Self.document(methods: [Self.method("did:web:evil.example#key-1")]), .noKey),
            (Self.document(methods: [Self.method(key: jwk)]), .noKey),
            (Self.document(methods: [Self.method(key: both)]), .noKey),
            (Self.document(methods: [Self.method(key: #""publicKeyHex":"00""#)]), .noKey),
            (Self.document(methods: [Self.method(more: #","revoked":"2026-01-01T00:00:00Z""#)]), .noKey),
            (Self.document(methods: [Self.method(more: #","expires":"soon""#)]), .noKey),
            (Self.document(methods: [Self.method(), Self.method()]), .repeatedMethod("key-1")),
            (Self.document(assertion: "[\(Self.method())]"), .repeatedMethod("key-1")),
            (
                Self.document(methods: (0..<100).map { Self.method("#k\($0)") }), .tooManyMethods(limit: 100)
            ),
            ([UInt8](repeating: 0x20, count: 65_537), .tooLarge(limit: 65_536)),
        ]
        for (document, error) in cases {
            #expect(throws: error, "\(String(decoding: document.prefix(300), as: UTF8.self))") {
                try SellerDocument(document, of: Self.did)
            }
            #expect(!error.description.isEmpty)
        }
    }

    @Test("reject- web keys that are for something else, or whose private half stands beside them")
    func webKeys() throws {
        for member in [
            #","d":"AQ""#, #","use":"enc""#, #","key_ops":["sign"]"#, #","key_ops":"verify""#, #","alg":"ES256""#,
        ] {
            let document = Self.document(
                methods: [Self.method(key: #""publicKeyJwk":\#(Self.webKey.dropLast())\#(member)}"#)])
            #expect(throws: SellerDocumentError.noKey, "\(member)") { try SellerDocument(document, of: Self.did) }
        }
        let fine = Self.document(
            methods: [
                Self.method(
                    key: #""publicKeyJwk":\#(Self.webKey.dropLast()),"use":"sig","alg":"ES256K","key_ops":["verify"]}"#)
            ])
        #expect(try Self.verdict(Self.pinned(fine)) == .verified(by: .identifier(Self.did)))
    }

    @Test("only a did:web without a fragment takes a document")
    func identifiers() {
        #expect(PinnedSigners.needsDocument(Self.did) && PinnedSigners.needsDocument("did:web:a.example%3A8443:shop"))
        for text in [Seller.did, "\(Self.did)#key-1", "did:web:127.0.0.1", "did:plc:x", ""] {
            #expect(!PinnedSigners.needsDocument(text), "\(text)")
        }
    }
}
