# Varnish 7.1 in front of an API at 127.0.0.1:8080; Latchkey's Token Information at 127.0.0.1:7071.
# Latchkey: LATCHKEY_TRUSTED_PROXIES=127.0.0.1 LATCHKEY_ORIGINAL_REQUEST=x-original LATCHKEY_CLIENT_ADDRESS=x-forwarded-for
#
# Latchkey is asked first; on 200 the request starts again and goes to the API. A body must be kept for that second
# start, and goes along with the question, of which Latchkey reads none.
vcl 4.1;
import std;

backend api { .host = "127.0.0.1"; .port = "8080"; }
backend latchkey { .host = "127.0.0.1"; .port = "7071"; .connect_timeout = 1s; .first_byte_timeout = 3s; }

sub vcl_recv {
  if (req.restarts == 0) {
    # Every name that Latchkey answers with, or reads, is the proxy's to set: none comes from the client.
    unset req.http.X-Latchkey-User;
    unset req.http.X-Latchkey-User-Encoded;
    unset req.http.X-Latchkey-Key-Id;
    unset req.http.X-Latchkey-Plan;
    unset req.http.X-Latchkey-Scopes;
    unset req.http.Latchkey-At-Least;
    unset req.http.Expect;
    set req.http.X-Forwarded-For = client.ip;
    set req.http.X-Original-URI = req.url;
    set req.http.X-Original-Method = req.method;
    if (req.http.Content-Length || req.http.Transfer-Encoding) {
      if (!std.cache_req_body(8MB)) { return (synth(413)); }
    }
    set req.url = "/v1/authorize";
    set req.backend_hint = latchkey;
    return (pass);
  }
  set req.url = req.http.X-Original-URI;
  unset req.http.X-Original-URI;
  unset req.http.X-Original-Method;
  unset req.http.Authorization;  # the key stops here
  unset req.http.X-API-Key;
  set req.backend_hint = api;
  return (pass);
}

sub vcl_deliver {
  if (req.restarts == 0 && resp.status == 200) {
    set req.http.X-Latchkey-User = resp.http.X-Latchkey-User;
    set req.http.X-Latchkey-User-Encoded = resp.http.X-Latchkey-User-Encoded;
    set req.http.X-Latchkey-Key-Id = resp.http.X-Latchkey-Key-Id;
    set req.http.X-Latchkey-Plan = resp.http.X-Latchkey-Plan;
    set req.http.X-Latchkey-Scopes = resp.http.X-Latchkey-Scopes;
    return (restart);
  }
}
