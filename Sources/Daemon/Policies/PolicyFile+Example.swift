extension PolicyFile {
    /// A commented policy that says what every key means; it is valid as it stands, and its tests pass.
    package static let example = """
        # Purser's policy. `purser policy check` says what is wrong with it; a daemon does not start with a wrong one.
        # Rules come after the gateways' own checks and before the caps: approval lifts no limit. The first rule whose
        # matchers all hold decides; a rule without `when` always matches. Where the model of a request is unknown, rules
        # about models refuse and ask, and do not approve: `default: refuse` with a list of what may be bought is safest.
        version: 1

        # true only notes in the journal what the file would have done, and pays
        shadow: false

        # what is done where no rule matches: approve, refuse or ask (required)
        default: ask

        # Each matcher takes one value or a list of alternatives:
        #   agent, team, gateway, scheme, payment-method    exact names
        #   host           exact, or *.example.com for every name below it
        #   method         GET, POST, …
        #   path           as it is sent, without the query; * stays within a segment, ** crosses slashes; where a rule
        #                  looks at paths, nothing is paid for a request whose path is longer than 8 KiB
        #   model          * stands for anything; unknown where the request cannot be read
        #   network        eip155:42161
        #   asset          USDT, eip155:42161/USDT or an address
        #   payee          an address
        #   above, up-to   dollars; window-above a duration such as 10m
        #   new-payee      true where the host was never paid at this address
        #   price-above    3x: over the highest price of the same agent, host, route and model so far
        #   hours, days    UTC; 22:00-06:00 crosses midnight; [mon, tue, wed, thu, fri, sat, sun]
        rules:
          - name: no-images
            when: { path: ["/v1/images/**", "/v1/videos/**"] }
            then: refuse
            reason: only text is bought here
          - name: watch-upto
            when: { scheme: upto }
            then: ask
            shadow: true
          - name: strangers
            when: { new-payee: true, above: 0.05 }
            then: ask
            reason: a new payee is paid five cents at most
          - name: sudden-price
            when: { price-above: 3x, window-above: 1m }
            then: ask
          - name: night
            when: { team: research, hours: "22:00-06:00", days: [sat, sun] }
            then: refuse
          - name: chat
            when:
              gateway: lab
              host: ["127.0.0.1", "*.example.com"]
              method: POST
              path: /v1/chat/*
              network: ["eip155:42161"]
              asset: USDT
              up-to: 0.10
            then: approve

        # `model: NAME` is a known model, `model-unknown: true` one that could not be read; without either there is none.
        # What is not said is a cent in USDT on Arbitrum through gateway `gateway` at api.example.com, on a Monday at noon.
        tests:
          - { name: chat-is-paid, gateway: lab, path: /v1/chat/completions, price: 0.10, expect: approve, rule: chat }
          - { name: images-are-not, path: /v1/images/generations, expect: refuse, rule: no-images }
          - { name: dear-strangers-wait, new-payee: true, price: 0.06, expect: ask, rule: strangers }
          - { name: jumps-wait, price-ratio: 3.5x, window: 5m, expect: ask, rule: sudden-price }
          - { name: sunday-night, team: research, time: "2026-11-22T23:00:00Z", expect: refuse, rule: night }
          - { name: anything-else-waits, expect: ask }

        """
}
