package listener

// Stats counts connections by what became of them. One that a stop cut off
// before anything became of it is in no count.
type Stats struct {
	Tub     uint64 // handed to the Tub
	HTTP    uint64 // handed to the web server
	Refused uint64 // asked for a TubID that is not served here, or asked badly
	Garbage uint64 // neither HTTP nor a request for a Tub
	Silent  uint64 // said too little in time, or hung up
	Excess  uint64 // closed because there were too many
}

// Stats returns what the connections so far were decided as.
func (l *Listener) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{
		Tub:     l.counts[toTub],
		HTTP:    l.counts[toWeb],
		Refused: l.counts[refused],
		Garbage: l.counts[garbage],
		Silent:  l.counts[silent],
		Excess:  l.counts[excess],
	}
}
