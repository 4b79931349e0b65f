-- Remove all counters of a user who is purged.
-- KEYS[1] what the user's counters begin with
-- @include now
-- @include calendar
-- @include usage
local at = now()
-- Some more of each: they expire that long after their last call.
for unit, kept in pairs({ day = DAYS_KEPT + 1, month = MONTHS_KEPT + 2 }) do
    for _, name in ipairs(newest_periods(unit, kept, at)) do redis.call('UNLINK', KEYS[1] .. ':' .. name) end
end
return 1
