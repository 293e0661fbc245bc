extension Migration {
    /// Keeps by amount and agent what is known of wallets without funds, and a ceiling for each price that migration 5 let go.
    ///
    /// - `largest` of `unfunded_wallets`: the largest payment for which there was too little; NULL in earlier rows.
    /// - `amount` of `unfunded_claims`: the smallest payment that the host refused. Earlier claims count for every amount,
    ///   which is what they meant.
    /// - `unfunded_tries`: when an agent may try a payment again from a wallet that is paused.
    /// - Prices of routes longer than 256 bytes are read no more since migration 5: the highest of them by agent, host
    ///   and token becomes that host's ceiling, as if they had been forgotten for want of room.
    static let fundsByAgent = Migration(
        number: 6, name: "funds by agent",
        sql: """
            ALTER TABLE unfunded_wallets ADD COLUMN largest BLOB CHECK (largest IS NULL OR length(largest) = 32);
            ALTER TABLE unfunded_claims
                ADD COLUMN amount BLOB NOT NULL CHECK (length(amount) = 32)
                DEFAULT X'0000000000000000000000000000000000000000000000000000000000000000';
            CREATE TABLE unfunded_tries (
                network TEXT NOT NULL,
                asset TEXT NOT NULL,
                payer TEXT NOT NULL,
                agent TEXT NOT NULL,
                next_try INTEGER NOT NULL,
                PRIMARY KEY (network, asset, payer, agent)
            ) STRICT, WITHOUT ROWID;

            INSERT INTO price_ceilings (agent, host, asset, nanodollars)
                SELECT agent, host, asset, max(nanodollars) FROM known_prices
                WHERE length(CAST(route AS BLOB)) > 256 GROUP BY agent, host, asset
                ON CONFLICT DO UPDATE SET nanodollars = max(nanodollars, excluded.nanodollars);
            DELETE FROM known_prices WHERE length(CAST(route AS BLOB)) > 256;
            """)
}
