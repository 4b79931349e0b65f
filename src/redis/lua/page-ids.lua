-- One page of the ids in an order.
-- KEYS[1] order · ARGV as `list-records.lua` has them
-- Returns {more (0 | 1), last score, id, …}
-- @include page
local page, more, last = page_of(KEYS[1], ARGV, function(id) return id end)
return { more, last, unpack(page) }
