-- Give leases on a proxy's capacity and places in its line back, and wake who is first in line.
-- KEYS[1] leases · KEYS[2] running calls by member · KEYS[3] line · KEYS[4] how long its places count
-- ARGV[1] JSON {leases: [`<tunnel>/<lease>`], places: [lease]} · ARGV[2] channel · ARGV[3] the proxy's name on it
-- Returns how many there were
-- @include leases
-- @include line
local given = cjson.decode(ARGV[1])
local count = 0
for _, lease in ipairs(given.leases) do
    if drop_lease(lease) then count = count + 1 end
end
for _, lease in ipairs(given.places) do
    if leave_line(lease) then count = count + 1 end
end
if count > 0 then wake_first(ARGV[2], ARGV[3]) end
return count
