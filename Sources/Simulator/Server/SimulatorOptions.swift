package import Ethereum
package import Primitives

/// How a simulated gateway is set up.
package struct SimulatorOptions: Sendable, Equatable {
    /// The address to listen on, numeric or a name.
    package var host: String
    /// The port to listen on; 0 takes any free one.
    package var port: Int
    /// The account that is paid.
    package var payTo: Address
    /// The pause before each event of a stream but the first.
    package var tokenDelay: Duration
    /// What every other account begins with, in millionths of each token; 10^9 is 1000 dollars.
    package var initialBalance: UInt256
    /// The longest request body, in bytes; a longer one is a 413.
    package var maximumBodyBytes: Int
    /// What becomes of `upto` payments.
    package var upto: UptoSettlement

    /// Makes options; only the payee has no default.
    package init(
        host: String = "127.0.0.1", port: Int = 0, payTo: Address, tokenDelay: Duration = .milliseconds(40),
        initialBalance: UInt256 = UInt256(1_000_000_000), maximumBodyBytes: Int = 64 * 1024 * 1024,
        upto: UptoSettlement = UptoSettlement()
    ) {
        self.host = host
        self.port = port
        self.payTo = payTo
        self.tokenDelay = tokenDelay
        self.initialBalance = initialBalance
        self.maximumBodyBytes = maximumBodyBytes
        self.upto = upto
    }
}
