import NIOCore
import NIOPosix
import Transport

/// Sends one request body on one connection: as it arrives from the agent, or again from the replay copy.
final class BodySender {
    private let connection: UpstreamConnection
    private var content: ReplayContent?
    private var nextPiece = 0
    private var isReading = false
    private var threads: NIOThreadPool?
    private var loop: (any EventLoop)?

    init(connection: UpstreamConnection) {
        self.connection = connection
    }

    /// Sends a piece that has just arrived.
    func send(_ bytes: ByteBuffer) {
        connection.write(bytes)
    }

    /// Says that the body is complete.
    func finish() {
        connection.requestDidComplete()
    }

    /// Sends the whole replay copy: what is in memory at once, the file piece by piece as the peer takes it.
    func replay(_ content: ReplayContent, on threads: NIOThreadPool, loop: any EventLoop) {
        for piece in content.prefix { connection.write(piece) }
        self.content = content
        self.threads = threads
        self.loop = loop
        resume()
    }

    /// The connection can take more.
    func resume() {
        guard let content, let threads, let loop, !isReading, connection.isOpen else { return }
        guard nextPiece < content.pieceCount else {
            self.content = nil
            return finish()
        }
        guard connection.isWritable else { return }
        isReading = true
        let index = nextPiece
        nextPiece += 1
        threads.runIfActive(eventLoop: loop) { try content.piece(index) }
            .assumeIsolated()
            .whenComplete { result in
                self.isReading = false
                switch result {
                case .success(let bytes):
                    self.connection.write(ByteBuffer(bytes: bytes))
                    self.connection.flush()
                    self.resume()
                case .failure:
                    // A copy that cannot be read back must not become a shorter body.
                    self.connection.breakOff()
                }
            }
    }
}
