/*
 * The saga as a formal model, for Spin; docs/model.md says which line of code is which transition.
 *
 * Steps are not put in an order: each may be taken whenever its own code does not refuse. That covers every order that
 * state machines, retries, duplicates, aborted executions and rescues can produce. Between any two actions of a step
 * everything else may happen, and it may die.
 *
 * -DN= resources, -DK= invocations at work on a resource at once (and requests of it on the wire), -DK_LAST= those on
 * the last one. Times are in ticks. A mutant is one more -D: SETTLING=, NO_FENCE, INTENT_UNVERSIONED,
 * COMMIT_UNVERSIONED, COMMIT_UNAPPROVED, INTENT_LAST, RANDOM_TOKEN, COMPENSATE_COMMITTED,
 * DELETE_ANY_TIME.
 */
#ifndef N
#define N 2
#endif
#ifndef K
#define K 1
#endif
#ifndef K_LAST
#define K_LAST K
#endif
#ifndef STEP
#define STEP 1      /* the longest an invocation lives */
#endif
#ifndef WIRE
#define WIRE 1      /* the longest a request takes effect after its caller gave up */
#endif
#ifndef STALE_READ
#define STALE_READ 1  /* the longest a read does not show what was created */
#endif
#ifndef SETTLING
#define SETTLING (STEP + WIRE + STALE_READ + STEP)
#endif

/* Resource statuses, saga statuses, where an invocation stands; all as in the code. */
#define PLANNED 0
#define CREATING 1
#define READY 2
#define FAILED 3
#define DELETING 4
#define ABSENT 5
#define STUCK 6

#define PENDING 0
#define PROVISIONING 1
#define COMMITTED 2
#define COMPENSATING 3
#define ROLLED_BACK 4
#define RELEASING 5
#define RELEASED 6
#define NEEDS_ATTENTION 7
#define AWAITING_APPROVAL 8

#define IDLE 0
#define READ 1        /* has read a wanted saga and a planned resource */
#define STALE 2       /* and something of the saga was written since */
#define PASSED 3      /* has passed the fence, and will ask the cloud */
#define ANSWERED 4    /* has the cloud's answer, and will record the operation */
#define SEEN_READY 5
#define FOUND 6       /* has looked, and something is there */
#define MISSED 7      /* has looked, and found nothing */

/* The header; 0 stands for no goal. */
byte saga = PENDING;
bit cancelled, committed;
bit outstanding;       /* it asked for approval, and nobody has given it yet */
byte goal;
byte deciding;

/* Resources. `since` is how long ago absence was first seen, plus one; 0: never. */
byte status[N];
bit intended[N], recorded[N];
byte since[N];
bit lives[N], twins[N], trespass[N];
byte young[N];         /* ticks for which a read may miss it */
byte wire[N * K];      /* late requests: ticks left, plus one; 0: none */

/* Invocations. */
byte step[N * K];
byte left[N * K];      /* ticks until the function's timeout */
byte seen[N * K];      /* `since`, as it was when the look began */

hidden byte i, oldest;

#define wanted (saga == PROVISIONING && !cancelled)
#define undecided (saga == PENDING || saga == PROVISIONING || saga == AWAITING_APPROVAL)
#ifdef COMMIT_UNAPPROVED
#define approved 1
#else
#define approved !outstanding
#endif
#define releasing (saga == COMPENSATING || saga == RELEASING)
#ifdef DELETE_ANY_TIME
#define due goal
#else
#define due releasing
#endif
#define me (r * K + c)
#define at_work (c == 0 || r < N - 1 || c < K_LAST)

inline is_idle(n) { step[n] = IDLE; left[n] = 0; seen[n] = 0 }

/* Something of the saga was written: who has read before is behind. */
inline wrote() {
  for (i : 0 .. N * K - 1) {
    if :: step[i] == READ -> step[i] = STALE :: else fi
  }
  if :: deciding == READ -> deciding = STALE :: else fi
}

/* What cannot matter any more is forgotten, so that the same situation is one state. */
inline tidy(r) {
  if :: status[r] != DELETING -> since[r] = 0 :: else fi;
  if :: status[r] != CREATING -> recorded[r] = 0 :: else fi;
#ifndef INTENT_UNVERSIONED
  for (i : r * K .. r * K + K - 1) {
    if
    :: (step[i] == STALE || step[i] == ANSWERED) && status[r] > CREATING -> is_idle(i)
    :: step[i] == SEEN_READY && status[r] != CREATING -> is_idle(i)
    :: step[i] >= FOUND && status[r] != DELETING && status[r] != STUCK -> is_idle(i)
    :: else
    fi
  }
#endif
  skip
}

inline becomes(r, s) { status[r] = s; wrote(); tidy(r) }

inline passes(r, c) { step[me] = PASSED; if :: cancelled || goal -> trespass[r] = 1 :: else fi }

inline effect(r) {
  if
  :: !lives[r] -> lives[r] = 1; young[r] = STALE_READ
#ifdef RANDOM_TOKEN
  :: else -> twins[r] = 1
#else
  :: else
#endif
  fi
}

/* One invocation after the other; c says which of those that may be at work on the resource at once. */
proctype Invocation(byte r; byte c) {
end: do
  /* ProvisioningSteps.create */
#ifdef NO_FENCE
  :: d_step { step[me] == IDLE && status[r] == PLANNED -> step[me] = READ; left[me] = STEP }
#else
#ifdef INTENT_LAST
  :: d_step { step[me] == IDLE && wanted && status[r] == PLANNED -> left[me] = STEP; passes(r, c) }
#else
  :: d_step { step[me] == IDLE && wanted && status[r] == PLANNED -> step[me] = READ; left[me] = STEP }
#endif
#endif
  :: d_step { step[me] == IDLE && wanted && status[r] == CREATING && !recorded[r] -> left[me] = STEP; passes(r, c) }
#ifdef INTENT_UNVERSIONED
  :: d_step { step[me] == READ || step[me] == STALE -> passes(r, c); intended[r] = 1; becomes(r, CREATING) }
#else
  :: d_step { step[me] == READ -> passes(r, c); intended[r] = 1; becomes(r, CREATING) }
  :: d_step { step[me] == STALE ->
       if
       :: wanted && status[r] == PLANNED -> step[me] = READ
       :: wanted && status[r] == CREATING && !recorded[r] -> passes(r, c)
       :: else -> is_idle(me)
       fi }
#endif
  :: d_step { step[me] == PASSED -> effect(r); step[me] = ANSWERED; tidy(r) }
  :: d_step { step[me] == PASSED -> effect(r); is_idle(me) }
  :: d_step { step[me] == PASSED && wire[me] == 0 -> wire[me] = WIRE + 1; is_idle(me) }
  :: d_step { step[me] == PASSED && wire[me] == 0 -> wire[me] = WIRE + 1; effect(r); step[me] = ANSWERED; tidy(r) }
  :: d_step { step[me] == ANSWERED ->
       is_idle(me);
       if
       :: status[r] == PLANNED -> recorded[r] = 1; intended[r] = 1; becomes(r, CREATING)
       :: status[r] == CREATING && !recorded[r] -> recorded[r] = 1; wrote(); tidy(r)
       :: else
       fi }

  /* ProvisioningSteps.observe */
  :: d_step { step[me] == IDLE && wanted && status[r] == CREATING && recorded[r] && lives[r] ->
       step[me] = SEEN_READY; left[me] = STEP }
  :: d_step { step[me] == SEEN_READY -> is_idle(me); if :: status[r] == CREATING -> becomes(r, READY) :: else fi }

  /* ReleaseSteps.observe: the clock is read when the look is done. */
  :: d_step { step[me] == IDLE && goal && status[r] == DELETING && lives[r] -> step[me] = FOUND; left[me] = STEP }
  :: d_step { step[me] == IDLE && goal && status[r] == DELETING && (!lives[r] || young[r]) ->
       step[me] = MISSED; left[me] = STEP; seen[me] = since[r] }
  :: d_step { step[me] == FOUND ->
       is_idle(me); if :: since[r] -> since[r] = 0; wrote(); tidy(r) :: else fi }
  :: d_step { step[me] == MISSED ->
       if
       :: seen[me] <= SETTLING && SETTLING > 0 ->
            if :: seen[me] == 0 -> seen[me] = 1 :: else fi;
            if
            :: status[r] == DELETING && since[r] != seen[me] -> since[r] = seen[me]; is_idle(me); wrote(); tidy(r)
            :: status[r] == STUCK -> is_idle(me); wrote(); tidy(r)
            :: else -> is_idle(me)
            fi
       :: else ->
            if
            :: status[r] == DELETING && since[r] == seen[me] -> is_idle(me); becomes(r, ABSENT)
            :: else -> is_idle(me)
            fi
       fi }

  /* It dies. */
  :: d_step { step[me] != IDLE -> is_idle(me) }
  od
}

/* Steps of one action, and late requests. */
proctype Surroundings(byte r) {
  byte c;
end: do
  :: d_step { status[r] == PLANNED || status[r] == CREATING -> becomes(r, FAILED) }                /* SagaSteps.fail */
  :: d_step { goal && !intended[r] && status[r] != ABSENT -> becomes(r, ABSENT) }                  /* delete, stick */
  :: d_step { goal && intended[r] && status[r] != ABSENT && status[r] != STUCK -> becomes(r, STUCK) }      /* stick */
  :: d_step { due && intended[r] && status[r] != DELETING -> becomes(r, DELETING) }           /* delete, or a sweep */
  :: d_step { goal && status[r] == DELETING && lives[r] -> lives[r] = 0; young[r] = 0 }            /* delete */
  :: d_step { wire[r * K] -> wire[r * K] = 0; effect(r) }
#if K > 1
  :: d_step { wire[r * K + 1] -> wire[r * K + 1] = 0; effect(r) }
#endif
  od
}

inline all(s) { oldest = 1; for (i : 0 .. N - 1) { if :: status[i] != s -> oldest = 0 :: else fi } }

/* SagaSteps.begin, decide, fence, conclude; ApprovalSteps.ask, lapse; Sagas.approve, cancel, destroy, resume. */
proctype Header() {
end: do
  :: d_step { saga == PENDING && !cancelled -> saga = PROVISIONING; wrote() }
  :: d_step { saga == PENDING && !cancelled -> saga = PROVISIONING; outstanding = 1; wrote() }
  :: d_step { undecided && !cancelled -> cancelled = 1; wrote() }                            /* cancel, or lapse */
  :: d_step { wanted && outstanding -> saga = AWAITING_APPROVAL; wrote() }                    /* ask */
  :: d_step { saga == AWAITING_APPROVAL && !cancelled -> saga = PROVISIONING; outstanding = 0; wrote() } /* approve */
  :: d_step { deciding == IDLE && wanted && approved -> all(READY); if :: oldest -> deciding = READ :: else fi;
       oldest = 0 }
  :: d_step { deciding != IDLE -> deciding = IDLE }
#ifdef COMMIT_UNVERSIONED
  :: d_step { deciding != IDLE -> deciding = IDLE; saga = COMMITTED; committed = 1; wrote() }
#else
  :: d_step { deciding == READ -> deciding = IDLE; saga = COMMITTED; committed = 1; wrote() }
#endif
  :: d_step { undecided -> saga = COMPENSATING; goal = ROLLED_BACK; outstanding = 0; wrote() }
  :: d_step { saga == NEEDS_ATTENTION || saga == ROLLED_BACK || saga == RELEASED ->                /* resume, sweep */
       if :: goal == ROLLED_BACK -> saga = COMPENSATING :: else -> saga = RELEASING fi;
       wrote() }
  :: d_step { saga == COMMITTED -> saga = RELEASING; goal = RELEASED; wrote() }
#ifdef COMPENSATE_COMMITTED
  :: d_step { saga == COMMITTED -> saga = COMPENSATING; goal = ROLLED_BACK; wrote() }
#endif
  :: d_step { releasing ->
       oldest = 2;
       for (i : 0 .. N - 1) {
         if
         :: status[i] == STUCK && oldest -> oldest = 1
         :: status[i] != STUCK && status[i] != ABSENT -> oldest = 0
         :: else
         fi
       }
       if
       :: oldest == 2 -> saga = goal; wrote()
       :: oldest == 1 -> saga = NEEDS_ATTENTION; wrote()
       :: else
       fi;
       oldest = 0 }
  od
}

/* A tick, unless something must happen first. */
proctype Time() {
end: do
  :: d_step {
       oldest = 1;
       for (i : 0 .. N * K - 1) {
         if :: wire[i] == 1 || (step[i] != IDLE && left[i] == 0) -> oldest = 0 :: else fi
       }
       if
       :: oldest ->
            for (i : 0 .. N * K - 1) {
              if :: wire[i] -> wire[i]-- :: else fi;
              if :: step[i] != IDLE -> left[i]-- :: else fi;
              if :: seen[i] && seen[i] <= SETTLING -> seen[i]++ :: else fi
            }
            for (i : 0 .. N - 1) {
              if :: since[i] && since[i] <= SETTLING -> since[i]++ :: else fi;
              if :: young[i] -> young[i]-- :: else fi
            }
       :: else
       fi;
       oldest = 0 }
  od
}

/* What must never be. */
#define over (saga == ROLLED_BACK || saga == RELEASED)
proctype Judge(byte r) {
end: do
  :: d_step { twins[r] -> assert(false) }                                         /* two live for one intent */
  :: d_step { trespass[r] -> assert(false) }                                      /* a create began after the fence */
  :: d_step { lives[r] && (over || status[r] == ABSENT) -> assert(false) }        /* an orphan */
  :: d_step { lives[r] && saga == NEEDS_ATTENTION && status[r] != STUCK -> assert(false) }     /* left, and not named */
  :: d_step { lives[r] && !intended[r] -> assert(false) }                 /* there without an intent */
  :: d_step { saga == COMMITTED && (!lives[r] || cancelled) -> assert(false) }    /* half done, or a cancel was lost */
  :: d_step { saga == COMMITTED && outstanding -> assert(false) }                 /* nobody approved it */
  :: d_step { committed && goal == ROLLED_BACK -> assert(false) }                 /* a commit was compensated */
  od
}

init {
  atomic {
    byte r, c;
    for (r : 0 .. N - 1) {
      run Surroundings(r);
      run Judge(r);
      for (c : 0 .. K - 1) { if :: at_work -> run Invocation(r, c) :: else fi }
    }
    r = 0; c = 0;
    run Header();
    run Time()
  }
}
