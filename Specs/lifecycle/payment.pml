/*
 * The life of a payment, as a model that SPIN searches exhaustively. README.md says what is modelled and how it maps to
 * the promises; `check` runs every property and every mutant.
 *
 * Switches (-D): what is looked at, of P1 P2 P3 P4 P9 ATTENDED PROGRESS; the setting (CAP, CHAIN, LAPSE, ...); at
 * most one MUTANT_..., which breaks one rule on purpose.
 */

#ifndef CAP
#define CAP 2                   /* in units; every payment costs one */
#endif
#ifndef ROWS
#define ROWS 2                  /* payments the store has room for */
#endif
#ifndef CRASHES
#define CRASHES 1               /* of either daemon, each followed by a start */
#endif
#ifndef DAEMONS
#define DAEMONS 2
#endif
#ifndef PLANS
#define PLANS 0 .. 2            /* what the third request may be: see `plan` */
#endif
#define EXCHANGES 3
#define NOBODY 7
#if defined(FENCED) || defined(OWN_ROWS) || defined(MUTANT_NOT_FLUSHED)
#define OWNERS
#endif

/* States of a row. NONE: there is no row. `refused` needs none. */
#define NONE 0
#define RESERVED 1
#define RESUMED 2
#define INDOUBT 3
#define REJECTED 4
#define SETTLED 5
#define PRESUMED 6
#define CONFIRMED 7
#define VOIDED 8
#define RELEASED 9
#define LAPSED 10

#define isOpen(i) (st[i] >= RESERVED && st[i] <= REJECTED)
#define isCounted(i) (st[i] >= RESERVED && st[i] <= CONFIRMED)
#define isUnattended(i) (st[i] == INDOUBT || st[i] == REJECTED)
#define isProvable(i) (isUnattended(i) || st[i] == PRESUMED || st[i] == LAPSED)

/* Events that an exchange books. */
#define SAYS_SETTLED 1
#define SAYS_SERVED 2           /* 2xx without a usable report */
#define SAYS_USED 3             /* 409, nonce already used: on bytes that were sent before */
#define SAYS_NO 4               /* 402, success:false */
#define LOST_SIGHT 5
#define NEVER_SENT 6

/* What the books know of the answer. ARRIVED also stands for what the agent broke off itself after a settlement, and for
   failures that it has whole: those are held for a while by the clock, which only holds more. */
#define ARRIVED 0
#define UNDER_WAY 1
#define OWED 2

/* On disk: survives every crash. Two daemons work on it, one transaction at a time. */
byte st[ROWS];
#ifdef OWNERS
byte owner[ROWS];               /* the exchange that made or adopted the row last */
#endif
bit print[ROWS];                /* the fingerprint of the logical request */
byte way[ROWS];                 /* what became of the answer to a closed row: see `heard` */
byte rows;
bit frozen;

/* The world: nobody in the process can see it but through the chain reader. */
bit left[ROWS];                 /* the header has left the process: the seller may have it */
bit moved[ROWS];                /* the chain took the money, once and for all */
bit dead[ROWS];                 /* a final block at or past validBefore: no chain takes it any more */
bit over[ROWS];                 /* the daemons' clock is at or past validBefore */
#ifdef MUTANT_NOT_FINAL
bit headOver[ROWS];             /* the newest block is at or past validBefore, and may still be replaced */
#endif

/* What the properties look at. */
#ifdef P3
bit taken[ROWS];                /* an agent has the answer, or left it in the middle when the seller had said that it took the
                                   money; under WORD a seller's word is enough */
#endif
bit ordered;                    /* the operator was told that everything is frozen */

/* Exchanges and daemons. */
byte row[EXCHANGES] = NOBODY;
bit at[EXCHANGES];              /* the daemon */
bit begun[EXCHANGES];
bit connected[EXCHANGES];       /* the agent waits */
bit known[EXCHANGES];           /* the books know that it waits no longer */
bit killed[EXCHANGES];          /* by a crash */
#ifdef P3
byte receives[EXCHANGES];       /* the agent receives an answer: SAYS_SETTLED or SAYS_SERVED, or 0 */
#endif
bit down[2];
byte plan;                      /* what the third request is: 0 the second's repetition, 1 its twin, 2 something else */

#define printOf(x) (plan == 2 && x == 2)
/* A sequential agent repeats when the earlier attempt is answered or gone. */
#ifdef HASTY
#define isBehind(x) (begun[x] && !connected[x])
#else
#define isBehind(x) (begun[x] && known[x])
#endif
#define mayBegin(x) (x == 0 || (x == 1 && isBehind(0)) || (x == 2 && (plan > 0 || isBehind(1))))
#define precedes(y, x) (y < x && (x < 2 || plan == 0))

#ifdef MUTANT_PRESUMED_IS_FREE
#define countedAt(i) (isCounted(i) && st[i] != PRESUMED -> 1 : 0)
#else
#define countedAt(i) (isCounted(i) -> 1 : 0)
#endif
#if ROWS == 3
#define counted (countedAt(0) + countedAt(1) + countedAt(2))
#else
#define counted (countedAt(0) + countedAt(1))
#endif

/* The transition table; what does not match leaves the row as it is. */
#ifdef FENCED
/* An outcome of an exchange whose row was adopted since: it may say that money moved, nothing else. */
#define isCurrent(i, x) (owner[i] == x)
#else
#define isCurrent(i, x) true
#endif
/* The answer of an exchange whose agent has gone is owed; where there is no P3 to look at, it arrives at once or never. */
#ifdef MUTANT_ORPHAN_ARRIVES
#define wayBehind(x) UNDER_WAY
#else
#define wayBehind(x) (connected[x] -> UNDER_WAY : OWED)
#endif
#ifdef MUTANT_USED_ARRIVES
#define WAY_OF_USED ARRIVED
#else
#define WAY_OF_USED OWED
#endif

/* What a head that came makes of the answer's way; `wasOpen` before it was booked. */
inline heard(i, event, x) {
    if
    :: wasOpen && !isOpen(i) && (event == SAYS_SETTLED || event == SAYS_SERVED) -> way[i] = wayBehind(x)
    :: wasOpen && !isOpen(i) && event == SAYS_USED -> way[i] = WAY_OF_USED
    /* A late word of an exchange without an agent, while another one receives: its end decides. */
    :: !wasOpen && way[i] == UNDER_WAY && !connected[x] && (event == SAYS_SETTLED || event == SAYS_SERVED) -> way[i] = OWED
    :: else
    fi
}

inline book(i, event, x) {
    wasOpen = isOpen(i);
    if
    :: event == SAYS_SETTLED && (isOpen(i) || st[i] == PRESUMED || st[i] == LAPSED) -> st[i] = SETTLED
    :: (event == SAYS_SERVED || event == SAYS_USED) && isOpen(i) -> st[i] = PRESUMED
#ifdef MUTANT_SELLERS_WORD
    :: event == SAYS_NO && isOpen(i) -> st[i] = RELEASED
#else
    :: event == SAYS_NO && isOpen(i) && isCurrent(i, x) -> st[i] = REJECTED
#endif
    :: event == LOST_SIGHT && (st[i] == RESERVED || st[i] == RESUMED) && isCurrent(i, x) -> st[i] = INDOUBT
    :: event == NEVER_SENT && st[i] == RESERVED -> st[i] = VOIDED
#ifdef MUTANT_DOUBT_VOIDS
    :: event == NEVER_SENT && st[i] == INDOUBT -> st[i] = VOIDED
#endif
#ifdef MUTANT_ADOPTER_VOIDS
    :: event == NEVER_SENT && st[i] == RESUMED -> st[i] = VOIDED
#endif
    :: else
    fi;
    heard(i, event, x);
    wasOpen = 0
#ifdef P3
#ifdef WORD
    ;
    if
    :: event == SAYS_SETTLED || event == SAYS_SERVED || event == SAYS_USED -> taken[i] = 1
    :: else
    fi
#endif
#endif
}

#ifdef P3
#ifdef MUTANT_DEPARTURE_ARRIVES
#define departsFreely(x) true
#else
#define departsFreely(x) (receives[x] == SAYS_SETTLED)
#endif

/* The answer has arrived whole. */
inline arrive(i, x) {
    way[i] = ARRIVED;
    taken[i] = 1
}

/* It broke off, or the agent left it in the middle. */
inline breakOff(i) {
    if
    :: way[i] == UNDER_WAY -> way[i] = OWED
    :: else
    fi
}

inline leaveMidway(i, x) {
    if
    :: departsFreely(x) -> way[i] = ARRIVED
    :: else -> breakOff(i)
    fi;
    if
    :: receives[x] == SAYS_SETTLED -> taken[i] = 1
    :: else
    fi
}
#endif

/* The exchange is over for its agent and the books know it; what is not needed any more is forgotten. */
inline settleDown(x) {
    connected[x] = 0;
    known[x] = 1;
    row[x] = NOBODY;
#ifdef P3
    receives[x] = 0;
#endif
    r = NOBODY;
    isAdopter = 0
}

/* Books an answer and lets the agent go, with it or without. */
inline answer(event) {
    d_step {
        book(r, event, x);
        settleDown(x)
    }
}

#ifdef MUTANT_FRESH_BESIDE_UNRESOLVED
#define mayAdopt(i, x) false
#elif defined(MUTANT_ADOPTS_CONNECTED)
#define mayAdopt(i, x) (isOpen(i) && print[i] == printOf(x) && !over[i])
#elif defined(UNTIL_PROOF)
/* A proposal: what the chain has not proven is adopted, whatever the daemon's clock says of its window. */
#define mayAdopt(i, x) (isUnattended(i) && print[i] == printOf(x))
#else
#define mayAdopt(i, x) (isUnattended(i) && print[i] == printOf(x) && !over[i])
#endif
/* What is booked as spent, and whose answer no agent has, is not paid for again while it lives: its bytes are sent again. */
#define isSpent(i) (st[i] >= SETTLED && st[i] <= CONFIRMED)
#ifdef MUTANT_OWED_IS_BOUGHT
#define isHeld(i, x) false
#else
#define isHeld(i, x) (isSpent(i) && way[i] == OWED && print[i] == printOf(x) && !over[i])
#endif

/* Somebody else's agent waits for this row, as far as anybody can know. */
#define isAttendedBy(y, i, x) (y != x && row[y] == i && !known[y] && !precedes(y, x))
#define isAttended(i, x) (isAttendedBy(0, i, x) || isAttendedBy(1, i, x) || isAttendedBy(2, i, x))
#define isWatchedBy(y, i, x) (y != x && row[y] == i && connected[y])
#define isWatched(i, x) (isWatchedBy(0, i, x) || isWatchedBy(1, i, x) || isWatchedBy(2, i, x))
#define canSettle(i) (left[i] && !moved[i] && !dead[i])

inline makeRow(x) {
#ifdef P3
    i = 0;
    do
    :: i < rows ->
        assert(!(print[i] == printOf(x) && canSettle(i) && !taken[i] && !isAttended(i, x)));
        i++
    :: else -> break
    od;
#endif
    r = rows;
    rows++;
    st[r] = RESERVED;
    print[r] = printOf(x);
#ifdef OWNERS
    owner[r] = x;
#endif
    row[x] = r
}

/* What is closed stays as it is, and several may send its bytes: none of them can make it worth more. */
inline adoptRow(x) {
    if
    :: isOpen(r) ->
#ifdef ATTENDED
        assert(!isWatched(r, x));
#endif
        st[r] = RESUMED
#ifdef OWNERS
        ; owner[r] = x
#endif
    :: else
    fi;
    row[x] = r;
    isAdopter = 1
}

inline find(x) {
    r = NOBODY;
    i = 0;
    do
    :: i < rows && r == NOBODY && mayAdopt(i, x) -> r = i
    :: i < rows && !(r == NOBODY && mayAdopt(i, x)) -> i++
    :: else -> break
    od;
    i = (r == NOBODY -> 0 : rows);
    do
    :: i < rows && r == NOBODY && isHeld(i, x) -> r = i
    :: i < rows && !(r == NOBODY && isHeld(i, x)) -> i++
    :: else -> break
    od
}

#ifdef BOOKS_FIRST
/* A proposal: before a daemon reserves, it books the agents that have left it. */
inline bookGone(y, x) {
    if
    :: row[y] != NOBODY && at[y] == at[x] && !connected[y] && !known[y] && !killed[y] ->
#ifdef P3
        if
        :: receives[y] -> leaveMidway(row[y], y); receives[y] = 0
        :: else -> book(row[y], LOST_SIGHT, y)
        fi;
#else
        book(row[y], LOST_SIGHT, y);
#endif
        known[y] = 1
    :: else
    fi
}
#endif

/* The one transaction that sets money aside, or what a mutant makes of it. */
inline reserve(x) {
#ifdef MUTANT_CAP_NOT_ATOMIC
    d_step { fits = counted + 1 <= CAP; r = NOBODY };
#define FITS fits
#else
#define FITS (counted + 1 <= CAP)
#endif
#ifdef MUTANT_FREEZE_READ_BEFORE
    sawFrozen = frozen;
#define FROZEN sawFrozen
#else
#ifdef MUTANT_ADOPTS_FROZEN
#define FROZEN (frozen && r == NOBODY)
#else
#define FROZEN frozen
#endif
#endif
#ifdef MUTANT_TWO_ADOPTERS
    d_step { find(x) };
#define CHOOSE skip
#else
#define CHOOSE find(x)
#endif
    d_step {
#ifdef BOOKS_FIRST
        bookGone(0, x); bookGone(1, x); bookGone(2, x);
#endif
        CHOOSE;
        if
        :: FROZEN -> r = NOBODY
        :: !FROZEN && r != NOBODY -> adoptRow(x)
        :: !FROZEN && r == NOBODY && FITS && rows < ROWS -> makeRow(x)
        :: else -> r = NOBODY
        fi;
        i = 0;
#ifdef P9
        assert(r == NOBODY || !ordered);
#endif
        if
        :: r == NOBODY -> settleDown(x)
        :: else
        fi
    }
}

/* One request of an agent that has met a 402, in one of the daemons. */
proctype Exchange(byte x) {
    byte r = NOBODY;
    byte i;
    bit isAdopter, wasOpen;
#ifdef MUTANT_CAP_NOT_ATOMIC
    bit fits;
#endif
#ifdef MUTANT_FREEZE_READ_BEFORE
    bit sawFrozen;
#endif
    {
        /* The first exchange runs in the first daemon: the two are alike. */
        atomic {
            mayBegin(x) && (!down[0] || (x > 0 && DAEMONS == 2 && !down[1])) ->
            if
            :: !down[0] -> at[x] = 0
            :: x > 0 && DAEMONS == 2 && !down[1] -> at[x] = 1
            fi;
            begun[x] = 1;
            connected[x] = 1
        };
#ifdef MUTANT_SIGNS_FIRST
#ifdef P2
        assert(r != NOBODY && st[r] != NONE);
#endif
#endif
        reserve(x);
        if
        :: r == NOBODY -> goto finished
        :: else
        fi;
        /* Sign. Signatures are deterministic: an adopter signs the same bytes. */
#ifdef P2
        assert(st[r] != NONE && st[r] != VOIDED);
#endif
        /* Connect and hand over the header; the agent may leave, or nothing can be reached. */
        if
        :: d_step {
                left[r] = 1;
                isAdopter = 0
#ifdef AFTER_FREEZE
                ; assert(!ordered)
#endif
            }
#ifdef MUTANT_ADOPTER_VOIDS
        :: answer(NEVER_SENT); goto finished
#else
        :: isAdopter -> answer(LOST_SIGHT); goto finished
        :: !isAdopter -> answer(NEVER_SENT); goto finished
#endif
        fi;
        /* Wait. The seller answers whatever it likes, at any time, or never; what it does to the chain is its own.
           That the same bytes go out a second time changes nothing: the seller may have them since the first. */
        do
#ifdef P3
        :: d_step { connected[x] -> book(r, SAYS_SETTLED, x); receives[x] = SAYS_SETTLED }; goto receiving
        :: d_step { connected[x] -> book(r, SAYS_SERVED, x); receives[x] = SAYS_SERVED }; goto receiving
        :: d_step { !connected[x] -> book(r, SAYS_SETTLED, x); settleDown(x) }; break
        :: d_step { !connected[x] -> book(r, SAYS_SERVED, x); settleDown(x) }; break
#else
        :: answer(SAYS_SETTLED); break
        :: answer(SAYS_SERVED); break
#endif
        :: answer(SAYS_USED); break
        :: answer(SAYS_NO); break
        :: answer(LOST_SIGHT); break
#ifdef MUTANT_RESEND_VOIDS
        :: answer(NEVER_SENT); break
#endif
        /* The agent leaves. Its exchange books that, goes on waiting, and books late what still comes. */
        :: connected[x] -> connected[x] = 0
        :: d_step { !connected[x] && !known[x] -> book(r, LOST_SIGHT, x); known[x] = 1 }
        od;
#ifdef P3
        goto finished;
receiving:
        /* The rest of the answer arrives, breaks off, or is left: the books hear of it in a step of its own. */
        do
        :: d_step { connected[x] -> arrive(r, x); settleDown(x) }; break
        :: d_step { connected[x] -> breakOff(r); settleDown(x) }; break
        :: connected[x] -> connected[x] = 0
        :: d_step { !connected[x] && !known[x] -> leaveMidway(r, x); settleDown(x) }; break
        :: d_step { !connected[x] && known[x] -> settleDown(x) }; break
        od
#endif
    } unless {
        d_step { killed[x] -> r = NOBODY; i = 0; isAdopter = 0; wasOpen = 0 }
    };
finished:
    skip
}

#define isRunning(x) (row[x] != NOBODY && !killed[x])

inline kill(x, d) {
    if
    :: begun[x] && at[x] == d && !killed[x] ->
        killed[x] = 1;
        connected[x] = 0
#ifdef P3
        ; receives[x] = 0
#endif
    :: else
    fi
}

inline forget(i, d) {
    if
    :: st[i] == RESERVED && at[owner[i]] == d -> st[i] = NONE
    :: else
    fi
}

#ifdef OWN_ROWS
#define isSwept(i, d) (at[owner[i]] == d)
#else
#define isSwept(i, d) true
#endif

inline sweep(i, d) {
    if
#ifdef MUTANT_SWEEPS_RESERVED_ONLY
    :: st[i] == RESERVED && isSwept(i, d) -> st[i] = INDOUBT
#else
    :: (st[i] == RESERVED || st[i] == RESUMED) && isSwept(i, d) -> st[i] = INDOUBT
#endif
#ifndef MUTANT_START_FORGETS_ANSWERS
    :: way[i] == UNDER_WAY && !isOpen(i) && isSwept(i, d) -> way[i] = OWED
#endif
    :: else
    fi
}

inline release(x, d) {
    if
    :: killed[x] && at[x] == d -> known[x] = 1; row[x] = NOBODY
    :: else
    fi
}

inline crash(d) {
    d_step {
        !down[d] && crashes < CRASHES && (isRunning(0) || isRunning(1) || isRunning(2)) ->
        crashes++;
        down[d] = 1;
        kill(0, d); kill(1, d); kill(2, d);
#ifdef MUTANT_NOT_FLUSHED
        forget(0, d); forget(1, d);
#endif
    }
}

inline start(d) {
    d_step {
        down[d] ->
        sweep(0, d); sweep(1, d);
#if ROWS == 3
        sweep(2, d);
#endif
        release(0, d); release(1, d); release(2, d);
#ifdef MUTANT_FREEZE_IN_MEMORY
        frozen = 0;
#endif
        down[d] = 0
    }
}

/* A daemon dies at any point and comes back. */
active proctype Crash() {
    byte crashes;
end:
    do
    :: crash(0)
    :: crash(1)
    :: start(0)
    :: start(1)
    od
}

/* Where only P3 is looked at, nothing that a row does matters once its answer has arrived. */
#ifdef P3
#define isMoot(i) (taken[i] && way[i] == ARRIVED)
#else
#define isMoot(i) false
#endif

inline chain(i) {
    d_step { canSettle(i) && !isMoot(i) -> moved[i] = 1 }
}

/* Time moves where it can make a difference. */
#ifdef MUTANT_TWO_READS
#define mayDie(i) (st[i] != NONE && !dead[i])
#else
#define mayDie(i) (st[i] != NONE && st[i] != VOIDED && !moved[i] && !dead[i] && !isMoot(i))
#endif
#define isTimed(i) (isOpen(i) || (isSpent(i) && way[i] == OWED))
/* With MARGIN the daemons let a window end only when a final block has passed it (or the nonce is used). */
#ifdef MARGIN
#define mayEnd(i) (isTimed(i) && !over[i] && (dead[i] || moved[i]))
#else
#define mayEnd(i) (isTimed(i) && !over[i])
#endif

/* The seller's way to the chain, and time. */
active proctype World() {
end:
    do
    :: chain(0)
    :: chain(1)
    :: d_step { mayEnd(0) -> over[0] = 1 }
    :: d_step { mayEnd(1) -> over[1] = 1 }
#ifdef MUTANT_NOT_FINAL
    :: d_step { rows > 0 && !headOver[0] -> headOver[0] = 1 }
    :: d_step { rows > 1 && !headOver[1] -> headOver[1] = 1 }
    :: d_step { headOver[0] && !dead[0] -> dead[0] = 1 }
    :: d_step { headOver[1] && !dead[1] -> dead[1] = 1 }
#else
    :: d_step { mayDie(0) -> dead[0] = 1 }
    :: d_step { mayDie(1) -> dead[1] = 1 }
#endif
#if ROWS == 3
    :: chain(2)
    :: d_step { mayEnd(2) -> over[2] = 1 }
    :: d_step { mayDie(2) -> dead[2] = 1 }
#endif
    od
}

#ifdef MUTANT_EARLY_RELEASE
#define isProvenUnused(i) !moved[i]
#elif defined(MUTANT_NOT_FINAL)
#define isProvenUnused(i) (!moved[i] && headOver[i])
#elif defined(MUTANT_TWO_READS)
#define isProvenUnused(i) (sawUnused[i] && dead[i])
#else
#define isProvenUnused(i) (!moved[i] && dead[i])
#endif

/* What the housekeeper of either daemon does to a row. */
#ifdef LAPSE
#define lapse(i) d_step { isUnattended(i) && over[i] -> st[i] = LAPSED }
#else
#define lapse(i) d_step { false -> skip }
#endif
#ifdef CHAIN
/* Proof of an attempt that nobody has an answer to leaves it owed. */
#define owes(i) (isUnattended(i) -> OWED : way[i])
#define prove(i) d_step { isProvable(i) && moved[i] -> way[i] = owes(i); st[i] = CONFIRMED }
#define disprove(i) d_step { isProvable(i) && isProvenUnused(i) -> st[i] = RELEASED }
#else
#define prove(i) d_step { isUnattended(i) && over[i] -> st[i] = PRESUMED }
#define disprove(i) d_step { false -> skip }
#endif

active proctype Housekeeper() {
#ifdef MUTANT_TWO_READS
    bit sawUnused[ROWS];
#endif
end:
    do
    :: prove(0)
    :: prove(1)
    :: disprove(0)
    :: disprove(1)
    :: lapse(0)
    :: lapse(1)
#if ROWS == 3
    :: prove(2)
    :: disprove(2)
    :: lapse(2)
#endif
#ifdef MUTANT_TWO_READS
    :: d_step { rows > 0 && !sawUnused[0] && !moved[0] -> sawUnused[0] = 1 }
    :: d_step { rows > 1 && !sawUnused[1] && !moved[1] -> sawUnused[1] = 1 }
#endif
    od
}

#ifdef FREEZE
active proctype Operator() {
    d_step { frozen = 1; ordered = 1 }
}
#endif

/* Invariants: this process can move only when one is broken, so it adds no states. */
#define costsAt(i) ((isCounted(i) || moved[i] || canSettle(i)) -> 1 : 0)
#if ROWS == 3
#define costs (costsAt(0) + costsAt(1) + costsAt(2))
#define each(p) (p(0) && p(1) && p(2))
#else
#define costs (costsAt(0) + costsAt(1))
#define each(p) (p(0) && p(1))
#endif
#define isOnDisk(i) (!left[i] || (st[i] != NONE && st[i] != VOIDED))
#define isProven(i) (((!moved[i] && !canSettle(i)) || isCounted(i)) \
    && (st[i] != VOIDED || !left[i]) && (st[i] != RELEASED || (dead[i] && !moved[i])))
#define isClosed(i) !isOpen(i)

#ifdef P1
active proctype P1Auditor() { atomic { costs > CAP -> assert(costs <= CAP) } }
#endif
#ifdef P2
active proctype P2Auditor() { atomic { !each(isOnDisk) -> assert(each(isOnDisk)) } }
#endif
#ifdef P4
active proctype P4Auditor() { atomic { !each(isProven) -> assert(each(isProven)) } }
#endif
#ifdef PROGRESS
/* Nothing can happen any more: every request is over, every window has ended, the housekeeper has looked. */
active proctype ProgressAuditor() { timeout -> assert(each(isClosed)) }
#endif

init {
    atomic {
        select(plan : PLANS);
        run Exchange(0); run Exchange(1); run Exchange(2)
    }
}
