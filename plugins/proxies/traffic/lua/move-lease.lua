-- Let a lease stand for a call to another member.
-- KEYS[1] leases · KEYS[2] running calls by member
-- ARGV[1] `<tunnel>/<lease>` · ARGV[2] the same of the other tunnel · ARGV[3] for how long, in ms
-- @include lease-time
-- @include leases
drop_lease(ARGV[1])
keep_lease(ARGV[2], lease_time(), tonumber(ARGV[3]))
keep_keys(ARGV[3])
