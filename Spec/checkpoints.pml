/* Checkpoints and forgetting, as Spec/retention.md has them: a model for spin, checked by .ci/model.
 *
 * Two named members lie: one uploads a checkpoint, true or false by choice, the other confirms it, and objects to what is
 * true as often as it likes. HONEST others come and go. Whoever comes reads the log to its end, is told what is announced,
 * and objects if that is false. The relay waits for those it has asked until they answer, leave, or its patience is over,
 * announces what was confirmed, and uses it, which forgets entries, after GRACE ticks without an objection.
 *
 * The assumption: one of the honest members (0 here) is never away, without looking at what is announced, for more than
 * AWAY ticks, and AWAY < GRACE. The others may stay away as long as they like.
 * What follows (safe): entries are forgotten for a true checkpoint only. And (stuck must fail): they can be forgotten.
 *
 * Variants in which safe must fail:
 *   -DGRACE=0       nothing is waited for after the announcement
 *   -DAWAY=3        the assumption does not hold
 *   -DNO_PROTEST    what is announced cannot be taken back
 *   -DSILENT        honest members who have read the log find another digest and do not say so
 * With -DQUIET the liars do not object to what is true, and everything that is uploaded may come into use.
 */

#ifndef HONEST
#define HONEST 2
#endif
#ifndef GRACE
#define GRACE 3
#endif
#ifndef AWAY
#define AWAY 2
#endif
#define UPLOADS 3

mtype = { nothing, uploaded, announced, used };

mtype state = nothing;
bool truth;              /* what is uploaded, announced or used is what the log holds */
bool confirmed;          /* another named member than the uploader has found the same digest */
bool forgotten;          /* entries are gone for what is used */
byte age;                /* ticks since the announcement */
byte uploads;

bool here[HONEST];       /* is connected, and has read the log to its end */
bool asked[HONEST];      /* was asked for a digest, and is waited for */
bool told[HONEST];       /* was told what is announced, and has not looked at it yet */
byte away;               /* ticks since member 0 was here last */

inline forgetAll(i) {
  i = 0;
  do
  :: i < HONEST -> asked[i] = false; told[i] = false; i++
  :: else -> break
  od;
  i = 0
}

/* The checkpoint is worthless, and the log goes on without it. */
inline drop(i) { state = nothing; confirmed = false; age = 0; forgetAll(i) }

active proctype Uploader() {
  byte i;
end:
  do
  :: atomic { state == nothing && uploads < UPLOADS ->
       uploads++;
       if :: truth = true :: truth = false fi;
       do
       :: i < HONEST -> asked[i] = here[i]; i++
       :: else -> break
       od;
       i = 0;
       state = uploaded }
  od
}

active proctype Confirmer() {
  byte i;
end:
  do
  :: atomic { state == uploaded && !confirmed -> confirmed = true }
#ifndef QUIET
  :: atomic { state == uploaded || state == announced -> drop(i) }
#endif
  od
}

active [HONEST] proctype Member() {
  byte me = _pid - 2;
  byte i;
end:
  do
  :: atomic { !here[me] ->
       here[me] = true;
       told[me] = (state == announced);
       /* Who comes and goes without a look was not there. */
       if :: me == 0 && !told[me] -> away = 0 :: else -> skip fi }
  :: atomic { here[me] -> here[me] = false; asked[me] = false; told[me] = false }
  :: atomic { asked[me] && state == uploaded ->
       asked[me] = false;
       if
       :: truth -> confirmed = true
#ifdef SILENT
       :: !truth -> skip
#else
       :: !truth -> drop(i)
#endif
       fi }
  :: atomic { told[me] && state == announced ->
       told[me] = false;
       if :: me == 0 -> away = 0 :: else -> skip fi;
       if
       :: truth -> skip
#if defined(NO_PROTEST) || defined(SILENT)
       :: !truth -> skip
#else
       :: !truth -> drop(i)
#endif
       fi }
  od
}

active proctype Relay() {
  byte i;
  bool isWaiting;
end:
  do
  :: atomic { state == uploaded && confirmed ->
       isWaiting = false;
       do
       :: i < HONEST -> isWaiting = isWaiting || asked[i]; i++
       :: else -> break
       od;
       i = 0;
       /* Patience may be over at any time. */
       if
       :: isWaiting -> skip
       :: true ->
            state = announced; age = 0;
            do
            :: i < HONEST -> asked[i] = false; told[i] = here[i]; i++
            :: else -> break
            od;
            i = 0
       fi;
       isWaiting = false }
  :: atomic { state == announced && age >= GRACE -> state = used; forgotten = true }
  od
}

/* Time passes only when who is told something has looked at it, and when member 0 would not be away for too long. */
active proctype Clock() {
  byte i;
  bool mayPass;
end:
  do
  :: atomic {
       mayPass = true;
       do
       :: i < HONEST ->
            mayPass = mayPass && !(here[i] && told[i]);
            i++
       :: else -> break
       od;
       i = 0;
       if
       :: mayPass && (here[0] || away < AWAY) ->
            if :: state == announced && age < GRACE -> age++ :: else -> skip fi;
            if :: !here[0] -> away++ :: else -> skip fi
       :: else -> skip
       fi;
       mayPass = false }
  od
}

ltl safe { [] (forgotten -> truth) }
ltl stuck { [] !forgotten }
