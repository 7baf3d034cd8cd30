"""The steps of the way, and how they are cut into stages that talk by messages when the way runs on Kafka."""
