// Asks an istiod what the agent of a sidecar asks it: a certificate for the account of a pod, or the endpoints of a service.
//
//	workload certificate ADDRESS ROOTS TOKEN CLUSTER IDENTITY KEY   writes a new key to a file, prints the chain
//	workload endpoints ADDRESS ROOTS TOKEN CLUSTER NODE NETWORK SERVICE PORT   prints address:port of each, one a line
//
// ADDRESS is where istiod serves TLS, ROOTS and TOKEN are files, IDENTITY is a SPIFFE id, and NODE is the id of a proxy.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"
	security "istio.io/api/security/v1alpha1"
)

const server = "istiod.istio-system.svc"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if len(words) < 5 {
		return errors.New("see the source for what is to be given")
	}
	conn, err := connect(words[1], words[2])
	if err != nil {
		return err
	}
	token, err := os.ReadFile(words[3])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+strings.TrimSpace(string(token)), "ClusterID", words[4])
	switch rest := words[5:]; {
	case words[0] == "certificate" && len(rest) == 2:
		return certificate(ctx, conn, rest[0], rest[1])
	case words[0] == "endpoints" && len(rest) == 4:
		return endpoints(ctx, conn, words[4], rest)
	}
	return errors.New("see the source for what is to be given")
}

func connect(address, roots string) (*grpc.ClientConn, error) {
	text, err := os.ReadFile(roots)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("no roots")
	}
	return grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: server})))
}

func certificate(ctx context.Context, conn *grpc.ClientConn, identity, file string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	id, err := url.Parse(identity)
	if err != nil {
		return err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{URIs: []*url.URL{id}}, key)
	if err != nil {
		return err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), 0o600); err != nil {
		return err
	}
	answer, err := security.NewIstioCertificateServiceClient(conn).CreateCertificate(ctx, &security.IstioCertificateRequest{
		Csr:              string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request})),
		ValidityDuration: 3600,
	})
	if err != nil {
		return err
	}
	for _, one := range answer.CertChain {
		fmt.Print(strings.TrimSpace(one), "\n")
	}
	return nil
}

func endpoints(ctx context.Context, conn *grpc.ClientConn, cluster string, of []string) error {
	stream, err := discovery.NewAggregatedDiscoveryServiceClient(conn).StreamAggregatedResources(ctx)
	if err != nil {
		return err
	}
	known, err := structpb.NewStruct(map[string]any{
		"CLUSTER_ID": cluster, "NETWORK": of[1], "NAMESPACE": "sample", "ISTIO_VERSION": "1.31.0", "SERVICE_ACCOUNT": "default",
	})
	if err != nil {
		return err
	}
	const kind = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
	name := fmt.Sprintf("outbound|%s||%s", of[3], of[2])
	err = stream.Send(&discovery.DiscoveryRequest{Node: &core.Node{Id: of[0], Metadata: known}, TypeUrl: kind, ResourceNames: []string{name}})
	if err != nil {
		return err
	}
	answer, err := stream.Recv()
	if err != nil {
		return err
	}
	for _, resource := range answer.Resources {
		var assigned endpoint.ClusterLoadAssignment
		if err := resource.UnmarshalTo(&assigned); err != nil {
			return err
		}
		for _, locality := range assigned.Endpoints {
			for _, one := range locality.LbEndpoints {
				address := one.GetEndpoint().GetAddress().GetSocketAddress()
				fmt.Printf("%s:%d\n", address.GetAddress(), address.GetPortValue())
			}
		}
	}
	return nil
}
