-- One playlist of one title, or, with WALK=<count>, the grant and the playlists of <count> titles, each once.
-- Prints what was measured as one line of JSON. The titles' names are those that dev/xtask/src/bench/gateway/bucket.rs gives.

local walk = tonumber(os.getenv("WALK") or "0")
local at = 0

function request()
   if walk == 0 then return wrk.format() end
   local title = math.floor(at / 3) % walk
   local path = string.format("/v1/grants/%032x", title)
   if at % 3 == 1 then path = path .. string.format("/1%031x.m3u8", title) end
   if at % 3 == 2 then path = path .. string.format("/2%031x.m3u8", title) end
   at = at + 1
   return wrk.format("GET", path)
end

function response()
   if walk > 0 and at >= 3 * walk then wrk.thread:stop() end
end

function done(summary, latency)
   local e = summary.errors
   io.write(string.format(
      '{"requests": %d, "bytes": %d, "took_us": %d, "p50_us": %d, "p99_us": %d, "errors": %d}\n',
      summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
      e.connect + e.read + e.write + e.status + e.timeout))
end
