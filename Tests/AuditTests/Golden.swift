/// Journals as they must come out.
enum Golden {
    static let beancount = #"""
        option "title" "Purser ledger"

        2026-11-22 commodity USDT-42161-FD086B
          asset: "eip155:42161/0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"
          decimals: 6

        2026-11-22 open Assets:Wallet:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23

        2026-11-22 open Equity:Opening:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23

        2026-11-22 * "opening"
          entry: 4
          note: "from  cold   store 2026-01-01 x"
          Assets:Wallet:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23  5.000000 USDT-42161-FD086B
          Equity:Opening:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23  -5.000000 USDT-42161-FD086B

        2026-11-22 open Assets:Exposed:My-5fagent

        2026-11-22 * "reserved" ^pay_01a2008d740000000000000000010000
          entry: 5
          payment: "pay_01a2008d740000000000000000010000"
          Assets:Exposed:My-5fagent  0.010000 USDT-42161-FD086B
          Assets:Wallet:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23  -0.010000 USDT-42161-FD086B

        2026-11-22 open Expenses:Spent:My-5fagent:0x209693Bc6afc0C5328bA36FaF03C514EF312287C

        2026-11-23 * "settled" ^pay_01a2008d740000000000000000010000
          entry: 6
          payment: "pay_01a2008d740000000000000000010000"
          Expenses:Spent:My-5fagent:0x209693Bc6afc0C5328bA36FaF03C514EF312287C  0.010000 USDT-42161-FD086B
          Assets:Exposed:My-5fagent  -0.010000 USDT-42161-FD086B

        2026-11-22 commodity CALLS
          asset: "calls"
          decimals: 0

        2026-11-22 open Expenses:Metered:My-5fagent:X-ULab

        2026-11-22 open Assets:Prepaid:X-ULab

        2026-11-23 * "called"
          entry: 7
          Expenses:Metered:My-5fagent:X-ULab  1 CALLS
          Assets:Prepaid:X-ULab  -1 CALLS

        2026-11-24 balance Assets:Exposed:My-5fagent 0.000000 ~ 0 USDT-42161-FD086B
        2026-11-24 balance Expenses:Metered:My-5fagent:X-ULab 1 ~ 0 CALLS
        2026-11-24 balance Equity:Opening:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23 -5.000000 ~ 0 USDT-42161-FD086B
        2026-11-24 balance Assets:Prepaid:X-ULab -1 ~ 0 CALLS
        2026-11-24 balance Expenses:Spent:My-5fagent:0x209693Bc6afc0C5328bA36FaF03C514EF312287C 0.010000 ~ 0 USDT-42161-FD086B
        2026-11-24 balance Assets:Wallet:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23 4.990000 ~ 0 USDT-42161-FD086B

        """#

    static let beancountDay = #"""
        option "title" "Purser ledger"

        2026-11-23 commodity USDT-42161-FD086B
          asset: "eip155:42161/0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"
          decimals: 6

        2026-11-23 open Assets:Exposed:My-5fagent

        2026-11-23 open Equity:Opening:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23

        2026-11-23 open Assets:Wallet:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23

        2026-11-23 * "balances brought forward"
          Assets:Exposed:My-5fagent  0.010000 USDT-42161-FD086B
          Equity:Opening:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23  -5.000000 USDT-42161-FD086B
          Assets:Wallet:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23  4.990000 USDT-42161-FD086B

        2026-11-23 open Expenses:Spent:My-5fagent:0x209693Bc6afc0C5328bA36FaF03C514EF312287C

        2026-11-23 * "settled" ^pay_01a2008d740000000000000000010000
          entry: 6
          payment: "pay_01a2008d740000000000000000010000"
          Expenses:Spent:My-5fagent:0x209693Bc6afc0C5328bA36FaF03C514EF312287C  0.010000 USDT-42161-FD086B
          Assets:Exposed:My-5fagent  -0.010000 USDT-42161-FD086B

        2026-11-23 commodity CALLS
          asset: "calls"
          decimals: 0

        2026-11-23 open Expenses:Metered:My-5fagent:X-ULab

        2026-11-23 open Assets:Prepaid:X-ULab

        2026-11-23 * "called"
          entry: 7
          Expenses:Metered:My-5fagent:X-ULab  1 CALLS
          Assets:Prepaid:X-ULab  -1 CALLS

        2026-11-24 balance Assets:Exposed:My-5fagent 0.000000 ~ 0 USDT-42161-FD086B
        2026-11-24 balance Expenses:Metered:My-5fagent:X-ULab 1 ~ 0 CALLS
        2026-11-24 balance Equity:Opening:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23 -5.000000 ~ 0 USDT-42161-FD086B
        2026-11-24 balance Assets:Prepaid:X-ULab -1 ~ 0 CALLS
        2026-11-24 balance Expenses:Spent:My-5fagent:0x209693Bc6afc0C5328bA36FaF03C514EF312287C 0.010000 ~ 0 USDT-42161-FD086B
        2026-11-24 balance Assets:Wallet:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23 4.990000 ~ 0 USDT-42161-FD086B

        """#

    static let hledger = #"""
        ; Purser ledger
        decimal-mark .

        ; "USDT-42161-FD086B" is eip155:42161/0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9
        commodity 1000.000000 "USDT-42161-FD086B"

        account Assets:Wallet:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23

        account Equity:Opening:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23

        2026-11-22 * (4) opening
            ; note: from  cold   store 2026-01-01 x
            Assets:Wallet:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23  5.000000 "USDT-42161-FD086B"
            Equity:Opening:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23  -5.000000 "USDT-42161-FD086B"

        account Assets:Exposed:My-5fagent

        2026-11-22 * (5) reserved  ; payment:pay_01a2008d740000000000000000010000
            Assets:Exposed:My-5fagent  0.010000 "USDT-42161-FD086B"
            Assets:Wallet:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23  -0.010000 "USDT-42161-FD086B"

        account Expenses:Spent:My-5fagent:0x209693Bc6afc0C5328bA36FaF03C514EF312287C

        2026-11-23 * (6) settled  ; payment:pay_01a2008d740000000000000000010000
            Expenses:Spent:My-5fagent:0x209693Bc6afc0C5328bA36FaF03C514EF312287C  0.010000 "USDT-42161-FD086B"
            Assets:Exposed:My-5fagent  -0.010000 "USDT-42161-FD086B"

        ; "CALLS" is calls
        commodity 1000. "CALLS"

        account Expenses:Metered:My-5fagent:X-ULab

        account Assets:Prepaid:X-ULab

        2026-11-23 * (7) called
            Expenses:Metered:My-5fagent:X-ULab  1 "CALLS"
            Assets:Prepaid:X-ULab  -1 "CALLS"

        2026-11-23 * balances at the end of the day
            Assets:Exposed:My-5fagent  0 "USDT-42161-FD086B" = 0.000000 "USDT-42161-FD086B"
            Expenses:Metered:My-5fagent:X-ULab  0 "CALLS" = 1 "CALLS"
            Equity:Opening:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23  0 "USDT-42161-FD086B" = -5.000000 "USDT-42161-FD086B"
            Assets:Prepaid:X-ULab  0 "CALLS" = -1 "CALLS"
            Expenses:Spent:My-5fagent:0x209693Bc6afc0C5328bA36FaF03C514EF312287C  0 "USDT-42161-FD086B" = 0.010000 "USDT-42161-FD086B"
            Assets:Wallet:0x2c7536E3605D9C16a7a3D7b1898e529396a65c23  0 "USDT-42161-FD086B" = 4.990000 "USDT-42161-FD086B"

        """#
}
