/*
 * Signatures that move no money by themselves, prices that are paid without being asked, and the policy that decides, as
 * a model that SPIN searches exhaustively. README.md says what is modelled; `check` runs every property and every mutant.
 *
 * Switches (-D): what is looked at, of P2 P5 P9 LIMIT POLICY; at most one MUTANT_..., which breaks one rule on purpose.
 */

#ifndef MOST
#define MOST 1                  /* sign-ins that an agent may make within the hour */
#endif
#define EXCHANGES 3
#define HERE 0                  /* the seller that the gateway leads to at first */
#define THERE 1                 /* the one after the reload */
#define NONE 2

/* On disk: survives every crash. Two daemons and a command work on it, one transaction at a time. */
byte admitted;                  /* entries of sign-ins */
byte approvals;                 /* entries of approvals by hand */
bit frozen;
bit policyKnown = 1;            /* the newest entry says that a policy is in force */

/* The world. */
byte signIns;                   /* signatures that left the process */
byte signedApprovals;
bit ordered;                    /* the operator was told that everything is frozen */
bit fileIsThere = 1;            /* policy.yaml has its name, at this moment */
bit noneIsMeant;                /* config.yaml says `policy: none` */
byte pointed = HERE;            /* where config.yaml points the gateway */

/* Of the daemon: lost with it. */
byte seller = HERE;             /* where the gateway leads */
byte learned = NONE;            /* which seller the learned price is bound to */
byte asked = NONE;              /* which seller asked it: what the property looks at */
bit policyInForce = 1;

/* The one transaction that admits a sign-in, or what a mutant makes of it. */
inline admit(mine, isAdmitted) {
#ifdef MUTANT_FREEZE_READ_BEFORE
    sawFrozen = frozen;
#define FROZEN sawFrozen
#elif defined(MUTANT_NO_FREEZE)
#define FROZEN false
#else
#define FROZEN frozen
#endif
#ifdef MUTANT_LIMIT_NOT_ATOMIC
    fits = admitted < MOST;
#define FITS fits
#else
#define FITS (admitted < MOST)
#endif
    d_step {
        if
        :: !FROZEN && FITS ->
#ifdef P9
            assert(!ordered);
#endif
            isAdmitted = 1;
            mine++
        :: else
        fi
    }
}

/* A request whose seller offers to sign in, at either of two daemons on one store. */
proctype SignsIn() {
    bit isAdmitted, sawFrozen, fits;
#ifdef MUTANT_SIGNS_FIRST
    d_step { signIns++ };
#endif
    admit(admitted, isAdmitted);
    if
    :: isAdmitted ->
#ifdef MUTANT_NOT_FLUSHED
        /* A crash after the commit that was none: the entry is gone. */
        if
        :: d_step { admitted-- }
        :: skip
        fi;
#endif
        /* Once more before the signature; a freeze that comes after this look is a known limit. */
        if
        :: frozen -> skip
        :: else ->
#ifndef MUTANT_SIGNS_FIRST
            d_step { signIns++ }
#else
            skip
#endif
        fi
    :: else
    fi
}

/* `wallet approve`, in a process of its own. */
proctype Approves() {
    bit isAdmitted;
    d_step {
        if
#ifdef MUTANT_APPROVES_FROZEN
        :: true ->
#else
        :: !frozen ->
#endif
#ifdef P9
            assert(!ordered);
#endif
            isAdmitted = 1;
            approvals++
        :: else
        fi
    };
    if
    :: isAdmitted && !frozen -> d_step { signedApprovals++ }
    :: else
    fi
}

/* A request that is paid by a learned price, or asked and learned from; it keeps the gateway that it began with. */
proctype Pays() {
    byte mine, bound, payee;
    bit decided;
    d_step { mine = seller; decided = policyInForce };
    if
    :: d_step { learned != NONE -> bound = learned; payee = asked };
#ifdef MUTANT_PRICE_BY_NAME
        skip;
#else
        if
        :: bound != mine -> goto asks
        :: else
        fi;
#endif
#ifdef P5
        assert(payee == mine);
#endif
        goto done
    :: goto asks
    fi;
asks:
    skip;
    /* The outcome may come after a reload: what it teaches is of the seller that was paid. */
    d_step {
#ifdef MUTANT_LEARNS_BY_NAME
        learned = seller;
#else
        learned = mine;
#endif
        asked = mine
    };
done:
#ifdef POLICY
    assert(decided || noneIsMeant);
#endif
    skip
}

/* Reads both files and puts in force what they say, or nothing of it. */
inline reload() {
    d_step {
        if
#ifdef MUTANT_ABSENCE_IS_NONE
        :: true ->
#else
        :: fileIsThere || noneIsMeant || !policyKnown ->
#endif
            policyInForce = fileIsThere;
            policyKnown = fileIsThere;
            seller = pointed
        :: else
        fi
    }
}

/* The operator: an editor that saves, a gateway that is pointed elsewhere, a freeze, and a word about the policy. */
active proctype Operator() {
    byte steps;
end:
    do
    :: d_step { steps < 5 && fileIsThere && !noneIsMeant -> fileIsThere = 0; steps++ }
    :: d_step { steps < 5 && !fileIsThere && !noneIsMeant -> fileIsThere = 1; steps++ }
    :: d_step { steps < 5 && !fileIsThere && !noneIsMeant -> noneIsMeant = 1; steps++ }
    :: d_step { steps < 5 && pointed == HERE -> pointed = THERE; steps++ }
    :: steps < 5 -> reload(); steps++
    :: d_step { steps < 5 && !frozen -> frozen = 1; ordered = 1; steps++ }
    od
}

/* Invariants: this process can move only when one is broken, so it adds no states. */
#ifdef P2
active proctype P2Auditor() {
    atomic { signIns > admitted || signedApprovals > approvals ->
        assert(signIns <= admitted && signedApprovals <= approvals) }
}
#endif
#ifdef LIMIT
active proctype LimitAuditor() { atomic { signIns > MOST -> assert(signIns <= MOST) } }
#endif

init {
    atomic {
        run SignsIn(); run SignsIn(); run SignsIn();
        run Approves();
        run Pays(); run Pays()
    }
}
