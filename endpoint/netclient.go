package endpoint

import (
	"context"
	"net"
)

// A netClient dials what the net package can dial.
type netClient struct {
	d       Description
	network string
	addr    string
	dialer  net.Dialer
}

func (c *netClient) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := c.dialer.DialContext(ctx, c.network, c.addr)
	if err != nil {
		return nil, failed(c.d, dialError(ctx, err))
	}
	return conn, nil
}
