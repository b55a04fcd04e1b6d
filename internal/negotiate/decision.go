package negotiate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/octavo-go/octavo/internal/banana"
)

// decisionBlock is what the master says: what both sides will use, and the
// name of this connection.
func decisionBlock(current string, vocab int) block {
	return block{
		keyDecision:   strconv.Itoa(version),
		keyCurrent:    current,
		keyVocabIndex: fmt.Sprintf("%d %s", vocab, banana.Vocabs[vocab].Hash()),
	}
}

// decide chooses the vocabulary for a slave that sent h.
func decide(h *hello) (vocab int, err error) {
	if err := common("initial vocab set", 0, maxVocab, h.vocabMin, h.vocabMax); err != nil {
		return 0, err
	}
	return max(0, min(maxVocab, h.vocabMax)), nil
}

// parseDecision is the slave's reading of it.
func parseDecision(b block) (current string, vocab int, err error) {
	if text, ok := b[keyError]; ok {
		return "", 0, &RefusedError{Text: text}
	}
	v, ok := b[keyDecision]
	if !ok {
		return "", 0, saidf("No banana-decision-version value")
	}
	if strings.TrimSpace(v) != strconv.Itoa(version) {
		return "", 0, saidf("I can't handle banana version %.16s", v)
	}
	if words := strings.Fields(b[keyVocabIndex]); len(words) > 0 {
		vocab, err = strconv.Atoi(words[0])
		if err != nil || vocab < 0 || vocab > maxVocab {
			return "", 0, saidf("I can't handle initial vocab table index %.16s", words[0])
		}
		if ours := banana.Vocabs[vocab].Hash(); vocab > 0 && (len(words) < 2 || words[1] != ours) {
			theirs := strings.Join(words[1:], " ")
			return "", 0, saidf("Our hash for vocab-table-index %d (%s) does not match your hash (%.16s)", vocab, ours, theirs)
		}
	}
	current = b[keyCurrent]
	if current != "" && len(strings.Fields(current)) != 2 {
		return "", 0, fmt.Errorf("%s must be two words, got %.64q", keyCurrent, current)
	}
	return current, vocab, nil
}
