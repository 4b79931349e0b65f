-- Take a lease on a proxy's capacity, or a place in the line before it; for who has a place already, the same again.
-- KEYS[1] leases · KEYS[2] running calls by member · KEYS[3] line · KEYS[4] how long its places count · KEYS[5] turns
-- ARGV[1] JSON {lease, capacity, longest, isClosed, isByLoad, members: [{id, weight, rank}], keep: [lease], leaseMs, placeMs,
--         turnsMs} · ARGV[2] channel · ARGV[3] the proxy's name on it
-- Returns {1, tunnel, …} entered, with the members in the order that they are to be tried in; the lease is on the first,
--         {0} in line, {-1} the line is full, or closed to those without a place
-- @include lease-time
-- @include leases
-- @include line
-- @include order-members
local call = cjson.decode(ARGV[1])
local at = lease_time()
drop_ended_leases(at)
for _, lease in ipairs(call.keep) do
    if redis.call('ZSCORE', KEYS[3], lease) then keep_place(lease, at, call.placeMs) end
end
drop_lost_places(at)

local free = call.capacity - running_leases(at)
local place = redis.call('ZRANK', KEYS[3], call.lease)
local length = redis.call('ZCARD', KEYS[3])
if (place or length) < free then
    if place then leave_line(call.lease) end
    local order = order_members(call.members, call.isByLoad, KEYS[2], KEYS[5], call.turnsMs)
    keep_lease(order[1] .. '/' .. call.lease, at, call.leaseMs)
    keep_keys(call.leaseMs)
    -- Of several who came free at once the first in line was woken for each, perhaps.
    if place and free > 1 then wake_first(ARGV[2], ARGV[3]) end
    return { 1, unpack(order) }
end
if place then return { 0 } end
if call.isClosed or length >= call.longest then return { -1 } end
join_line(call.lease, at, call.placeMs)
return { 0 }
