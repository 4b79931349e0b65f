-- One page of the tenants' ids by time. The tenants themselves are in other slots.
-- KEYS[1] tenants (zset by time)
-- ARGV[1] asc | desc · ARGV[2] limit · ARGV[3] score and ARGV[4] id of the last one seen, or two empty strings
-- ARGV[5] the platform's own tenant, which is left out
-- Returns {total, more (0 | 1), last score, id, …}
-- @include page
local function read(id) return id ~= ARGV[5] and id or nil end

local page, more, last = page_of(KEYS[1], ARGV, read)
local own = redis.call('ZSCORE', KEYS[1], ARGV[5]) and 1 or 0
return { redis.call('ZCARD', KEYS[1]) - own, more, last, unpack(page) }
