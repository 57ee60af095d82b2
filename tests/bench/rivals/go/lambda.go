package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// The Extensions and Telemetry APIs.
type lambdaAPI struct {
	// No time limit: the sandbox may be frozen in a `next`.
	client     http.Client
	identifier string
}

type nextEvent struct {
	EventType  string `json:"eventType"`
	RequestID  string `json:"requestId"`
	DeadlineMs int64  `json:"deadlineMs"`
}

func register() (*lambdaAPI, error) {
	api := &lambdaAPI{}
	headers := map[string]string{"Lambda-Extension-Name": filepath.Base(os.Args[0])}
	body := map[string][]string{"events": {"INVOKE", "SHUTDOWN"}}
	reply, err := api.call("POST", "/2020-01-01/extension/register", headers, body, nil)
	if err != nil {
		return nil, err
	}
	api.identifier = reply.Get("Lambda-Extension-Identifier")
	return api, nil
}

func (api *lambdaAPI) subscribe(port string) error {
	body := map[string]any{
		"schemaVersion": "2022-12-13",
		"types":         []string{"platform", "function"},
		"buffering":     map[string]int{"timeoutMs": 25, "maxBytes": 1048576, "maxItems": 10000},
		"destination":   map[string]string{"protocol": "HTTP", "URI": "http://sandbox.localdomain:" + port},
	}
	_, err := api.call("PUT", "/2022-07-01/telemetry", nil, body, nil)
	return err
}

func (api *lambdaAPI) next() (event nextEvent, err error) {
	_, err = api.call("GET", "/2020-01-01/extension/event/next", nil, nil, &event)
	return event, err
}

// The reply's body goes into `into`, unless that is nil; what comes back are its headers.
func (api *lambdaAPI) call(method, path string, headers map[string]string, body, into any) (http.Header, error) {
	request, err := api.request(method, path, headers, body)
	if err != nil {
		return nil, err
	}
	response, err := api.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, text)
	}
	if into != nil {
		err = json.Unmarshal(text, into)
	}
	return response.Header, err
}

func (api *lambdaAPI) request(method, path string, headers map[string]string, body any) (*http.Request, error) {
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+path, reader)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if api.identifier != "" {
		request.Header.Set("Lambda-Extension-Identifier", api.identifier)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	return request, nil
}
