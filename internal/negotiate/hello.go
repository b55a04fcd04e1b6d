package negotiate

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/octavo-go/octavo/internal/banana"
)

// We speak version 3 of Banana only, like every Foolscap since 0.2: it has
// vocabulary tables, one-way calls and PING.
const version = 3

var maxVocab = len(banana.Vocabs) - 1

// A hello is what each side tells the other as soon as TLS stands.
type hello struct {
	min, max           int // versions of Banana
	vocabMin, vocabMax int
	tubID              string
	offer              Offer
}

// An Offer is the part of a slave's hello by which the master tells a peer
// that restarted from one that dials twice.
type Offer struct {
	Incarnation    string // of the peer's process; empty if it did not say
	LastConnection string // "INCARNATION SEQNUM" of the decision it got last; empty if it did not say
}

// helloBlock is what we say. last is empty where we are the acceptor: only
// connectors tell of their last connection.
func (s *Side) helloBlock(last string) block {
	b := block{
		keyRange:       fmt.Sprintf("%d %d", version, version),
		keyVocabRange:  fmt.Sprintf("0 %d", maxVocab),
		keyIncarnation: s.Incarnation,
		keyTubID:       s.TubID,
	}
	if last != "" {
		b[keyLast] = last
	}
	return b
}

func parseHello(b block) (*hello, error) {
	if text, ok := b[keyError]; ok {
		return nil, &RefusedError{Text: text}
	}
	r, ok := b[keyRange]
	if !ok {
		if _, old := b[keyOldVersion]; old {
			return nil, saidf("Peer is speaking foolscap-0.0.5 or earlier, which is not compatible with this version")
		}
		return nil, saidf("No valid banana-negotiation sequence seen")
	}
	h := &hello{tubID: b[keyTubID], offer: Offer{Incarnation: b[keyIncarnation], LastConnection: b[keyLast]}}
	var err error
	if h.min, h.max, err = twoNumbers(r); err != nil {
		return nil, fmt.Errorf("%s: %w", keyRange, err)
	}
	if v, ok := b[keyVocabRange]; ok {
		if h.vocabMin, h.vocabMax, err = twoNumbers(v); err != nil {
			return nil, fmt.Errorf("%s: %w", keyVocabRange, err)
		}
	}
	if b[keyForced] == "True" {
		return nil, errors.New("peer demands a forced negotiation")
	}
	if err := common("banana version", version, version, h.min, h.max); err != nil {
		return nil, err
	}
	return h, nil
}

// common checks that the greatest value both sides know is acceptable to both.
func common(what string, ourMin, ourMax, theirMin, theirMax int) error {
	n := min(ourMax, theirMax)
	if n < ourMin {
		return saidf("I can't handle %s %d", what, n)
	}
	if n < theirMin {
		return saidf("You can't handle %s %d", what, n)
	}
	return nil
}

func twoNumbers(s string) (int, int, error) {
	words := strings.Fields(s)
	if len(words) != 2 {
		return 0, 0, fmt.Errorf("want two numbers, got %.64q", s)
	}
	a, errA := strconv.Atoi(words[0])
	b, errB := strconv.Atoi(words[1])
	return a, b, errors.Join(errA, errB)
}
