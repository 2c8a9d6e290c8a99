# The slot record in a busybox shell; epsilon/slots says the same in Python, and tests/test_slots.py compares the two.
# One line, twice on the raw partition $SLOTS, each copy a page of 4096 bytes, the second one 512 KiB further on:
#   epsilon-slots 1 COUNT FIRST a STATE TRIES IDENTITY b STATE TRIES IDENTITY SHA256-OF-ALL-BEFORE

set -f  # words are never file names here

# Sets line to copy number $1 when its checksum is right.
read_copy() {
    line=$(dd if="$SLOTS" bs=4096 skip=$(($1 * 128)) count=1 2>/dev/null | head -c 256 | tr -d '\000' | head -n 1)
    case $line in "epsilon-slots 1 "*) ;; *) return 1 ;; esac
    [ "$(printf %s "${line% *}" | sha256sum | cut -c 1-64)" = "${line##* }" ]
}

# Takes a record's words apart.
unpack() {
    count=$3 first=$4
    a_state=$6 a_tries=$7 a_identity=$8
    b_state=${10} b_tries=${11} b_identity=${12}
}

# The newer sound copy, and in `spare` the place of the other one. Unreadable: both slots are new, as slots.LOST says.
read_record() {
    newest=
    spare=0
    for place in 0 1; do
        read_copy $place || continue
        words=$line
        set -- $words
        if [ -z "$newest" ] || [ "$3" -gt "$count" ]; then
            unpack $words
            newest=$place
            spare=$((1 - place))
        fi
    done
    if [ -z "$newest" ]; then
        unpack epsilon-slots 1 0 a a new 3 - b new 3 -
        return 1
    fi
}

# Writes the record over the older copy; it is on the disk when this returns.
write_record() {
    count=$((count + 1))
    body="epsilon-slots 1 $count $first a $a_state $a_tries $a_identity b $b_state $b_tries $b_identity"
    sum=$(printf %s "$body" | sha256sum | cut -c 1-64)
    { printf '%s\n' "$body $sum"; yes '' 2>/dev/null | head -c 4096; } | head -c 4096 |
        dd of="$SLOTS" bs=4096 seek=$((spare * 128)) count=1 iflag=fullblock conv=notrunc,fsync 2>/dev/null
    failed=$?
    spare=$((1 - spare))
    return $failed
}

tries_of() { if [ "$1" = a ]; then echo "$a_tries"; else echo "$b_tries"; fi; }
state_of() { if [ "$1" = a ]; then echo "$a_state"; else echo "$b_state"; fi; }
set_tries() { if [ "$1" = a ]; then a_tries=$2; else b_tries=$2; fi; }
other() { if [ "$1" = a ]; then echo b; else echo a; fi; }

# Takes a try off the first slot that has one and says in `chosen` which; `trouble` where none has. The try is gone
# before anything of that slot is looked at: whatever happens then, it counts as a start that failed.
choose() {
    for chosen in $first $(other $first); do
        if [ "$(tries_of $chosen)" -gt 0 ]; then
            set_tries $chosen $(($(tries_of $chosen) - 1))
            write_record
            return
        fi
    done
    chosen=trouble
    likeliest && set_tries $likely 1 && write_record
}

# Of two slots without a try, sets likely to the one that was good once, else to one that holds anything, else to none.
likeliest() {
    for likely in $first $(other $first); do
        [ "$(state_of $likely)" = good ] && return
    done
    for likely in $first $(other $first); do
        [ "$(state_of $likely)" != empty ] && return
    done
    likely=
    return 1
}

# A slot that cannot even be mounted has no tries.
give_up() {
    set_tries "$1" 0
    write_record
}
