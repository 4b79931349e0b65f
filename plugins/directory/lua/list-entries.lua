-- One page of the members of an order, by time.
-- KEYS[1] order
-- ARGV[1] asc | desc · ARGV[2] limit · ARGV[3] score and ARGV[4] member of the last one seen, or two empty strings
-- Returns {total, more (0 | 1), last score, member, …}
-- @include page
local page, more, last = page_of(KEYS[1], ARGV, function(member) return member end)
return { redis.call('ZCARD', KEYS[1]), more, last, unpack(page) }
