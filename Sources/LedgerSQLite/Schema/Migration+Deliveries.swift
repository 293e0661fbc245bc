extension Migration {
    /// What became of the answers to payments.
    ///
    /// NULL is an answer that came at once and well, and every payment of earlier versions. `payments_held` finds what holds
    /// a request back, by the time since when, so that old ones cost nothing; a payment that is answered well never enters
    /// an index.
    static let deliveries = Migration(
        number: 3, name: "deliveries",
        sql: """
            ALTER TABLE payments ADD COLUMN delivery TEXT CHECK (
                delivery IS NULL OR delivery = 'under-way' OR delivery = 'delivered' OR delivery = 'undelivered'
                OR delivery = 'left' OR delivery = 'failed');
            ALTER TABLE payments ADD COLUMN delivery_at INTEGER;
            ALTER TABLE payments ADD COLUMN repeated_at INTEGER;
            CREATE INDEX payments_held ON payments (fingerprint, delivery_at)
                WHERE delivery = 'undelivered' OR delivery = 'left' OR delivery = 'failed';
            CREATE INDEX payments_under_way ON payments (valid_before) WHERE delivery = 'under-way';
            """)
}
