package valuejson

// LimitText lowers the bound on what is written, and returns what restores it.
func LimitText(n int) (restore func()) {
	before := maxText
	maxText = n
	return func() { maxText = before }
}
