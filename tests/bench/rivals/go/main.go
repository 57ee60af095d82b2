// What the extension is measured against, in Go: the AWS SDK's client, and net/http.
//
// The three rivals do the same. Function events are queued as they come in; 500 are sent at once, the
// rest when the function has ended (platform.runtimeDone), before the next event is asked for.
package main

import (
	"context"
	"log"
	"os"
	"time"
)

const (
	// Two of the shortest buffering times: what the platform still has arrives within.
	grace = 50 * time.Millisecond
	// Left of a deadline for what comes after the flush.
	margin = 200 * time.Millisecond
)

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	port := setting("TELEMETRY_LISTENER_PORT", "4243")
	stream := setting("KINESIS_STREAM_NAME", "telemetry-kinesis-stream")
	lambda, err := register()
	if err != nil {
		return err
	}
	shipper, err := newShipper(context.Background(), stream)
	if err != nil {
		return err
	}
	done := make(chan string, 16)
	if err := listen(port, shipper, done); err != nil {
		return err
	}
	if err := lambda.subscribe(port); err != nil {
		return err
	}
	return events(lambda, shipper, done)
}

func setting(name, usual string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return usual
}

func events(lambda *lambdaAPI, shipper *shipper, done <-chan string) error {
	for {
		event, err := lambda.next()
		if err != nil {
			return err
		}
		deadline := time.UnixMilli(event.DeadlineMs)
		shipper.setDeadline(deadline.Add(-margin))
		if event.EventType == "SHUTDOWN" {
			time.Sleep(grace)
			shipper.flush()
			shipper.end()
			return nil
		}
		runtimeDone(done, event.RequestID, deadline)
		shipper.flush()
	}
}

// The platform need not keep its word: at the deadline it is waited for no longer.
func runtimeDone(done <-chan string, requestID string, deadline time.Time) {
	late := time.After(time.Until(deadline))
	for {
		select {
		case id := <-done:
			if id == requestID {
				return
			}
		case <-late:
			return
		}
	}
}
