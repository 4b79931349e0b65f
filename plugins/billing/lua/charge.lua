-- Take an amount from a tenant's credits, if it is there.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit
-- ARGV[1] JSON of the charge, as `charge_credits` has it
-- Returns what `charge_credits` does, as a list
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3] }
return { charge_credits(keys, cjson.decode(ARGV[1]), now()) }
