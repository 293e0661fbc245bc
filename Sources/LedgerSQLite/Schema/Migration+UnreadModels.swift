extension Migration {
    /// Forgets the prices of requests without a model.
    ///
    /// Version 0.1.0 did not tell requests that name no model from those whose model it could not read, so these prices are
    /// a mix of all models of a route. A high one among them would hide that a price rises.
    static let unreadModels = Migration(
        number: 2, name: "unread models", sql: "DELETE FROM known_prices WHERE model = ''")
}
