-- Remove the counters of a proxy that is gone.
-- KEYS[1] what the keys of the days begin with · ARGV[1] how many days
-- @include now
-- @include calendar
local today = math.floor(now() / DAY_MS)
for day = today, today - tonumber(ARGV[1]), -1 do
    local key = KEYS[1] .. date_of(day)
    redis.call('UNLINK', key, key .. ':members')
end
