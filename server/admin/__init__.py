"""The administrators' overview, lessons and nodes. Registers (schools, people, classrooms) bring pages of their own."""
