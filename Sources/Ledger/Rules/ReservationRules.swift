/// What a gateway's configuration asks of the books when money is set aside.
package struct ReservationRules: Sendable, Equatable {
    /// Rejections in a row on a route after which that route is paused for the agent; 0 pauses nothing, neither the
    /// route nor the agent nor the gateway.
    package var stopAfterRejections: Int64

    /// Makes rules.
    package init(stopAfterRejections: Int64 = 3) {
        self.stopAfterRejections = stopAfterRejections
    }
}
