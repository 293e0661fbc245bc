/// Python's `ssl` module as the other side: another user of libssl, with other habits.
enum TLSPythonPeer {
    /// A server: prints its port, then treats each connection as its first argument says.
    private static let serverScript = """
        import socket, ssl, struct, sys, threading
        mode, chain, key, version = sys.argv[1:5]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        if version == '1.2':
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        listener = socket.create_server(('127.0.0.1', 0))
        print('PORT', listener.getsockname()[1], flush=True)
        def serve(raw):
            if mode == 'reset-after-hello':
                raw.recv(65536)
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                return raw.close()
            if mode == 'fin-after-hello':
                raw.recv(65536)
                return raw.close()
            if mode == 'half-hello':
                raw.recv(65536)
                raw.sendall(bytes([22, 3, 3, 0, 122, 2, 0, 0]))
                return raw.close()
            with context.wrap_socket(raw, server_side=True) as peer:
                if mode == 'echo':
                    while data := peer.recv(65536):
                        peer.sendall(data)
                if mode == 'count':
                    total = 0
                    while data := peer.recv(65536):
                        total += len(data)
                    peer.sendall(str(total).encode())
                    peer.unwrap()
                if mode == 'notify':
                    peer.sendall(b'complete')
                    peer.unwrap()
                if mode == 'truncate':
                    peer.sendall(b'partial')
                    peer.recv(1)
                    socket.close(peer.detach())
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """

    /// A client: sends a pattern of the given size, checks the echo and says so.
    private static let clientScript = """
        import socket, ssl, sys, threading
        port, trust, size, version, name = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]
        context = ssl.create_default_context(cafile=trust)
        context.set_alpn_protocols(['h2', 'http/1.1'])
        if version == '1.2':
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        payload = bytes(i * 7919 % 251 for i in range(65537)) * (size // 65537 + 1)
        payload = payload[:size]
        with context.wrap_socket(socket.create_connection(('127.0.0.1', port)), server_hostname=name) as peer:
            threading.Thread(target=peer.sendall, args=(payload,), daemon=True).start()
            received = bytearray()
            while len(received) < size:
                data = peer.recv(65536)
                if not data:
                    break
                received += data
            print('ECHO', 'whole' if received == payload else 'broken', peer.version(), peer.selected_alpn_protocol())
        """

    static func server(
        _ mode: String, leaf: TLSCertificates.Leaf = .localhost, version: String = "1.3"
    ) async throws -> (process: TLSChildProcess, port: Int) {
        let certificates = try TLSCertificates.shared()
        let process = try TLSChildProcess(
            ["python3", "-c", serverScript, mode, certificates.chain(leaf), certificates.key(leaf), version],
            outputPath: certificates.path("python-server"))
        let port = try await process.waitForLine(after: "PORT ")
        return (process, Int(port) ?? 0)
    }

    /// The client's report, for example `whole TLSv1.3 http/1.1`.
    static func client(port: Int, size: Int, version: String = "1.3", name: String = "localhost") async throws -> String
    {
        let certificates = try TLSCertificates.shared()
        let process = try TLSChildProcess(
            ["python3", "-c", clientScript, "\(port)", certificates.trustFile, "\(size)", version, name],
            outputPath: certificates.path("python-client"))
        return try await process.waitForLine(after: "ECHO ")
    }
}
