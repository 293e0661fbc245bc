import NIOCore

/// Sends one request and gathers its answer, on the event loop of its pool.
final class BoundedExchange {
    typealias Outcome = Result<[UInt8], BoundedFailure>

    private let request: BoundedRequest
    private let pool: UpstreamPool
    private var completion: ((Outcome) -> Void)?
    private var connection: UpstreamConnection?
    private var timer: Scheduled<Void>?
    private var isRepeated = false
    private var isChunked = false
    private var body: [UInt8] = []

    /// `completion` is called once, on the loop.
    init(_ request: BoundedRequest, pool: UpstreamPool, completion: @escaping (Outcome) -> Void) {
        self.request = request
        self.pool = pool
        self.completion = completion
    }

    func start(on loop: any EventLoop) {
        // The timer keeps the exchange alive: connections hold whom they tell only weakly.
        timer = loop.assumeIsolated().scheduleTask(deadline: request.deadline) {
            self.finish(.failure(.timedOut))
        }
        if let connection = pool.idleConnection(for: request.use) { send(on: connection) } else { connect() }
    }

    func cancel() {
        finish(.failure(.cancelled))
    }

    private func connect() {
        let left = request.deadline - .now()
        guard left > .nanoseconds(0) else { return finish(.failure(.timedOut)) }
        pool.connect(for: request.use, timeout: min(request.connectTimeout, left)) { result in
            switch result {
            case .success(let connection): self.send(on: connection)
            case .failure(let failure): self.finish(.failure(.upstream(failure)))
            }
        }
    }

    private func send(on connection: UpstreamConnection) {
        guard completion != nil else { return connection.close() }
        self.connection = connection
        connection.begin(method: request.method, receiver: self)
        connection.write(request.bytes)
        connection.requestDidComplete()
        connection.flush()
    }

    private func finish(_ outcome: Outcome) {
        guard let completion else { return }
        self.completion = nil
        timer?.cancel()
        connection?.abandon()
        connection = nil
        completion(outcome)
    }
}

extension BoundedExchange: UpstreamReceiver {
    func upstream(_ connection: UpstreamConnection, didReceive head: ResponseHead) {
        guard head.status == 200 else { return finish(.failure(.status(head.status))) }
        switch head.framing(answering: request.method) {
        case .none: break
        case .length(let count): if count > UInt64(request.answerLimit) { finish(.failure(.tooLarge)) }
        case .chunked: isChunked = true
        case .untilClose: finish(.failure(.unframed))
        }
    }

    func upstream(_ connection: UpstreamConnection, didReceiveBody bytes: ByteBuffer) {
        guard body.count + bytes.readableBytes <= request.answerLimit else { return finish(.failure(.tooLarge)) }
        body.append(contentsOf: bytes.readableBytesView)
    }

    func upstreamDidFinish(_ connection: UpstreamConnection) {
        self.connection = nil
        do throws(HTTP1Error) {
            finish(.success(isChunked ? try ChunkScanner.content(of: body) : body))
        } catch {
            finish(.failure(.upstream(.malformed(error))))
        }
    }

    func upstream(_ connection: UpstreamConnection, didFail failure: UpstreamFailure) {
        self.connection = nil
        // The server closed a kept connection while the request was on its way: that says nothing about the server.
        if failure == .closedBeforeResponse, connection.isReused, !isRepeated, completion != nil {
            isRepeated = true
            connect()
        } else {
            finish(.failure(.upstream(failure)))
        }
    }

    func upstream(_ connection: UpstreamConnection, isWritable: Bool) {}

    func upstreamDidReadAll(_ connection: UpstreamConnection) {}
}
