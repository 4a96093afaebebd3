// tokio-postgres connects to DATABASE_URL as it is, and says where it has arrived.
use std::{env, error::Error};
use tokio_postgres::NoTls;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, connection) = tokio_postgres::connect(&env::var("DATABASE_URL")?, NoTls).await?;
    tokio::spawn(connection);
    let query = "SELECT json_build_object('replica', pg_is_in_recovery()::text, 'address', host(inet_server_addr()))::text";
    let row = client.query_one(query, &[]).await?;
    println!("{}", row.get::<_, &str>(0));
    Ok(())
}
