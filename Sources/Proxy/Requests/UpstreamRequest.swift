import NIOCore
import Payments
import SystemCrypto
import Transport
import X402

/// The head that goes to the gateway: the agent's own, less what is for this hop or ours, plus the gateway's key.
struct UpstreamRequest {
    private let head: ByteBuffer

    /// Whether the agent brought a payment of its own, which is then the only one.
    let carriesPayment: Bool
    /// Whether the agent signs in by itself, which is then the only way it does.
    let carriesSignIn: Bool
    /// The protocols, in lower case, that the request offers to switch to.
    let protocols: [String]

    /// `tokenField` is the field that carried the agent's token, where there was one, and `copies` are its other places.
    init(
        _ request: RequestHead, route: GatewayTable.Route, tokenField: FieldName?, copies: TokenCopies = .none,
        allocator: ByteBufferAllocator
    ) {
        let fields = request.fields
        var head = allocator.buffer(capacity: 1024)
        head.writeString(request.method)
        head.writeString(" ")
        head.writeString(route.target)
        head.writeString(" HTTP/1.1\r\nhost: ")
        head.writeString(route.gateway.origin.authority)
        head.writeString("\r\n")
        let options = fields.connectionOptions
        let replaced = route.gateway.credential.map { $0.field == .authorization ? FieldName.authorization : .xAPIKey }
        var carriesPayment = false
        var carriesSignIn = false
        var encodings: [FieldSection.Line] = []
        for (index, line) in fields.lines.enumerated() {
            switch line.name {
            case .host, .expect, .purser, .purserToken, .purserPrice, .purserRepeat, .purserVia, tokenField, replaced:
                continue
            case .paymentSignature, .xPayment: carriesPayment = true
            case .signInWithX: carriesSignIn = true
            // Padded with zeros it is an octal number to some.
            case .contentLength:
                if case .length(let count) = request.framing { head.writeContentLength(count) }
                continue
            case .maxForwards:
                guard let hops = MaxForwards.hops(of: request) else { break }
                head.writeString("max-forwards: \(hops - 1)\r\n")
                continue
            // What a proxy before this one knew the request by would be read in place of what was admitted here.
            case .originalRequest: if route.host == nil { continue }
            default: if line.name.isHopByHop { continue }
            }
            if let options, options.contains(fields.name(of: line)) { continue }
            if line.name == .acceptEncoding {
                encodings.append(line)
                continue
            }
            if !copies.isEmpty, let rest = copies.rest(of: index) {
                if !rest.isEmpty {
                    head.writeString("\(fields.name(of: line)): ")
                    head.writeBytes(rest)
                    head.writeString("\r\n")
                }
                continue
            }
            fields.copy(line, to: &head)
        }
        // What is the agent's own to pay, and what no gateway sends, is not read here.
        if carriesPayment || route.host != nil {
            for line in encodings { fields.copy(line, to: &head) }
        } else if let asked = AcceptedCodings.readable(encodings.map { fields.text($0) }) {
            head.writeString("accept-encoding: \(asked)\r\n")
        } else {
            for line in encodings { fields.copy(line, to: &head) }
        }
        if request.framing == .chunked { head.writeString("transfer-encoding: chunked\r\n") }
        let protocols = request.upgradeProtocols
        if !protocols.isEmpty {
            head.writeString("connection: upgrade\r\nupgrade: \(protocols.joined(separator: ", "))\r\n")
        }
        if let credential = route.gateway.credential, credential.methods.contains(request.method) {
            credential.write(to: &head)
        }
        self.protocols = protocols
        self.head = head
        self.carriesPayment = carriesPayment
        self.carriesSignIn = carriesSignIn
    }

    /// The whole head, with what is added to it when there is something: a payment, or a sign-in; `mark` is the line by which
    /// the request is recognized if it comes back.
    func bytes(
        adding header: PaymentHeader? = nil, expectingContinue: Bool = false, mark: ByteBuffer? = nil
    ) -> ByteBuffer {
        var bytes = head
        if let mark { bytes.writeImmutableBuffer(mark) }
        if expectingContinue { bytes.writeString("expect: 100-continue\r\n") }
        if let header {
            bytes.writeString("\(header.name): \(header.value)\r\n")
        }
        bytes.writeString("\r\n")
        return bytes
    }
}

extension Gateway.Credential {
    fileprivate func write(to head: inout ByteBuffer) {
        head.writeString(field == .authorization ? "authorization: Bearer " : "x-api-key: ")
        secret.withBytes { key in _ = unsafe head.writeBytes(key.bytes) }
        head.writeString("\r\n")
    }
}
