/// What a gateway's configuration asks of the books when money is set aside.
package struct ReservationRules: Sendable, Equatable {
    /// Rejections in a row on a route after which that route is paused for the agent; 0 pauses nothing, neither the
    /// route nor the agent nor the gateway.
    package var stopAfterRejections: Int64
    /// For how many seconds the same request is not paid again after a failure that was paid; 0 pays it at once.
    package var repeatAfterFailure: Int64

    /// Makes rules.
    package init(stopAfterRejections: Int64 = 3, repeatAfterFailure: Int64 = 60) {
        self.stopAfterRejections = stopAfterRejections
        self.repeatAfterFailure = repeatAfterFailure
    }
}
