-- Renew a process' leases on a proxy's capacity.
-- KEYS[1] leases · KEYS[2] running calls by member
-- ARGV[1] for how long, in ms · ARGV[2] JSON [`<tunnel>/<lease>`]
-- @include lease-time
-- @include leases
local at = lease_time()
local lifetime = tonumber(ARGV[1])
for _, lease in ipairs(cjson.decode(ARGV[2])) do keep_lease(lease, at, lifetime) end
keep_keys(lifetime)
