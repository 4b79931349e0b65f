-- Ask to call what is behind a circuit whose time is up: one caller at a time, until its lease ends.
-- KEYS[1] circuits
-- ARGV[1] JSON {name, lease, leaseMs}
-- Returns {0 refused | 1 free for all | 2 the lease is the caller's, circuit as JSON or '' where it is clean}
-- @include now
local entry = cjson.decode(ARGV[1])
local at = now()
local text = redis.call('HGET', KEYS[1], entry.name)
if not text then return { 1, '' } end

local circuit = cjson.decode(text)
if not circuit.openUntil then return { 1, text } end
if at < circuit.openUntil or (circuit.probe and at < circuit.probeUntil) then return { 0, text } end

circuit.probe, circuit.probeUntil = entry.lease, at + entry.leaseMs
text = cjson.encode(circuit)
redis.call('HSET', KEYS[1], entry.name, text)
return { 2, text }
