use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use postgres_openssl::MakeTlsConnector;
use std::{env, error::Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // As with psql: TLS is used where the URL or the server asks for it, and the certificate is checked where PGSSLROOTCERT names an authority's.
    let mut tls = SslConnector::builder(SslMethod::tls())?;
    match env::var("PGSSLROOTCERT") {
        Ok(authority) => tls.set_ca_file(authority)?,
        Err(_) => tls.set_verify(SslVerifyMode::NONE),
    }
    let url = env::var("DATABASE_URL")?;
    let (client, connection) = tokio_postgres::connect(&url, MakeTlsConnector::new(tls.build())).await?;
    let connection = tokio::spawn(connection);

    // The app's role owns the app's database, so it makes its own tables.
    client.batch_execute("CREATE TABLE IF NOT EXISTS greetings (word text, region text)").await?;
    let region = env::var("FLY_REGION").ok();
    client.query("INSERT INTO greetings VALUES ($1, $2)", &[&"Hello, world!", &region]).await?;
    for row in client.query("SELECT word, coalesce(region, ''), host(inet_server_addr()) FROM greetings", &[]).await? {
        let (word, region, server): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
        println!("{word} from {region}, kept at {server}");
    }
    drop(client);
    connection.await??;
    Ok(())
}
